//! Where large objects wait: one temporary file without a name, so that a folder of photographs does not
//! fill the memory, and nothing is left behind however the process ends.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Appends and reads back. The room of what nobody refers to any more is not used again.
#[derive(Debug)]
pub(super) struct Spill {
    file: Mutex<File>,
}

impl Spill {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: Mutex::new(tempfile::tempfile()?) })
    }

    /// Appends `bytes` and says at which offset they begin. It blocks.
    pub(super) fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut file = self.file();
        let offset = file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)?;
        Ok(offset)
    }

    /// Reads the bytes at `range`, which counts from the start of the file. It blocks.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        let mut file = self.file();
        file.seek(SeekFrom::Start(range.start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn file(&self) -> MutexGuard<'_, File> {
        // Every use seeks first, so that a panic in another one does no harm.
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
