//! Files that must be whole and, when they hold a key, nobody else's to read.
//!
//! A file is written beside its place, synced, renamed over it, and the folder synced: after a crash there is the old
//! file or the new one, never half of one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

/// The mode of a file that holds a private key.
pub const PRIVATE: u32 = 0o600;
/// The mode of a file that anybody may read.
pub const PUBLIC: u32 = 0o644;

/// What to do about a private key that others can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// Refuse it, as production does.
    Enforce,
    /// Warn in the log and go on.
    Warn,
}

/// Why a key file could not be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("{} is missing: make it with `pleiad keys`, or restore it from a backup", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("{} can be read by others (mode {mode:03o}): run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It could not be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error("{} is not usable: {reason}; mend it, or restore it from a backup", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It exists already and is never overwritten.
    #[error("{} exists already and is not overwritten: move it away first if you mean it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It could not be written.
    #[error("{} cannot be written: {source}; check the folder's permissions and the free space", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads a file whole, at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, KeyFileError> {
    use std::io::Read as _;
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Unreadable { path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(fail)?.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        return Err(KeyFileError::Malformed { path: path.to_owned(), reason: format!("it is over {limit} bytes") });
    }
    Ok(bytes)
}

/// Reads a file that holds a private key, after a look at who else can read it.
pub fn read_private(path: &Path, modes: Modes) -> Result<Vec<u8>, KeyFileError> {
    let bytes = read(path, 1 << 20)?;
    let mode = fs::metadata(path)
        .map_err(|source| KeyFileError::Unreadable { path: path.to_owned(), source })?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        match modes {
            Modes::Enforce => return Err(KeyFileError::Exposed { path: path.to_owned(), mode }),
            Modes::Warn => {
                tracing::warn!(path = %path.display(), mode = format!("{mode:03o}"), "a private key can be read by others");
            }
        }
    }
    Ok(bytes)
}

/// Reads the PKCS#8 private key of a PEM file, as DER.
pub fn read_private_key(path: &Path, modes: Modes) -> Result<Vec<u8>, KeyFileError> {
    let pem = read_private(path, modes)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| KeyFileError::Malformed {
        path: path.to_owned(),
        reason: format!("no private key in PEM was found ({error})"),
    })?;
    Ok(key.secret_der().to_vec())
}

/// A PKCS#8 private key as PEM.
pub fn private_key_pem(pkcs8: &[u8]) -> String {
    pem("PRIVATE KEY", pkcs8)
}

/// Bytes as a PEM block with that label (RFC 7468).
pub fn pem(label: &str, bytes: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(bytes);
    let mut block = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        block.push_str(line);
        block.push('\n');
        rest = tail;
    }
    block.push_str(&format!("-----END {label}-----\n"));
    block
}

/// Replaces a file by another, all or nothing, durably.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    write(path, bytes, mode, true)
}

/// Writes a file that must not exist yet, all or nothing, durably.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    write(path, bytes, mode, false)
}

fn write(path: &Path, bytes: &[u8], mode: u32, over: bool) -> Result<(), KeyFileError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => KeyFileError::Unwritable { path: path.to_owned(), source },
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fail)?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(fail)?;
    temporary.write_all(bytes).map_err(fail)?;
    // The process's umask may have taken bits away that a public file should have.
    temporary.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(fail)?;
    temporary.as_file().sync_all().map_err(fail)?;
    if over { temporary.persist(path) } else { temporary.persist_noclobber(path) }
        .map_err(|error| fail(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)
}
