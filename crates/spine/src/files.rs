//! Attachments and raw mails: files named by the SHA-256 of their content, written once, never changed.
//! No name from outside ever becomes part of a path (SECURITY row 26).

use crate::refusal::Refusal;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Name of a file: the hash of what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// The folder of files. Calls block on the disk: from async code use [`Files::put_async`] and [`Files::get_async`].
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// # Errors
    /// When the folder can't be made.
    pub fn open(root: &Path) -> Result<Self, Refusal> {
        fs::create_dir_all(root).map_err(Refusal::internal)?;
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, hash: &ContentHash) -> PathBuf {
        let hex = hash.hex();
        let (first, rest) = hex.split_at(2.min(hex.len()));
        self.root.join(first).join(rest)
    }

    /// Stores bytes durably (file and folder are synced before it returns); storing them again costs nothing.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn put(&self, bytes: &[u8]) -> Result<ContentHash, Refusal> {
        let hash = ContentHash::of(bytes);
        let path = self.path(&hash);
        if path.exists() {
            return Ok(hash);
        }
        self.write(&path, bytes).map_err(Refusal::internal)?;
        Ok(hash)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let mut part = path.as_os_str().to_owned();
        // Two writers of the same content write the same bytes; the thread's id keeps their halves apart.
        part.push(format!(".{:?}.part", std::thread::current().id()));
        let part = PathBuf::from(part);
        let mut file = fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        fs::File::open(folder)?.sync_all()?;
        fs::File::open(&self.root)?.sync_all()
    }

    /// # Errors
    /// [`Refusal::NotFound`], or those of the disk.
    pub fn get(&self, hash: &ContentHash) -> Result<Vec<u8>, Refusal> {
        match fs::read(self.path(hash)) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Refusal::NotFound),
            Err(error) => Err(Refusal::internal(error)),
        }
    }

    /// [`Files::put`] off the async threads.
    ///
    /// # Errors
    /// As [`Files::put`].
    pub async fn put_async(&self, bytes: Vec<u8>) -> Result<ContentHash, Refusal> {
        let files = self.clone();
        tokio::task::spawn_blocking(move || files.put(&bytes)).await.map_err(Refusal::internal)?
    }

    /// [`Files::get`] off the async threads.
    ///
    /// # Errors
    /// As [`Files::get`].
    pub async fn get_async(&self, hash: ContentHash) -> Result<Vec<u8>, Refusal> {
        let files = self.clone();
        tokio::task::spawn_blocking(move || files.get(&hash)).await.map_err(Refusal::internal)?
    }
}
