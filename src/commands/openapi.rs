//! `beetroot-api openapi`: the document about the HTTP interface, which needs no settings.

use std::io::Write;

use super::CommandError;
use crate::http;

pub(super) fn print() -> Result<(), CommandError> {
    let document = http::document_text().map_err(|error| CommandError::Print(error.into()))?;
    write!(std::io::stdout(), "{document}").map_err(CommandError::Print)
}
