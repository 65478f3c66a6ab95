// The two lists of the API. The browser keeps answers and asks with their ETag whether they are still right; there is nothing
// to do for that here.

/** How many entries a page of a list has. */
const PAGE_SIZE = 60;

/** Why there is no answer, in a sentence for people. */
export class ApiError extends Error {}

/** Everybody, by photo count. */
export function fetchPersons(cursor) {
  return fetchPage('/persons', cursor);
}

/** A person's photos. */
export function fetchPhotos(personId, cursor) {
  return fetchPage(`/persons/${encodeURIComponent(personId)}/photos`, cursor);
}

async function fetchPage(path, cursor) {
  const query = new URLSearchParams({ limit: PAGE_SIZE });
  if (cursor) query.set('cursor', cursor);
  let response;
  try {
    response = await fetch(`${path}?${query}`);
  } catch {
    throw new ApiError('The service cannot be reached.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new ApiError(`The service says: ${answer?.error ?? `status ${response.status}`}.`);
}
