//! Copies of the whole file, made while others write to it.

use std::path::Path;

use super::connection::connect;
use crate::StoreError;
use crate::file::make_file;

/// Copies the current state of the store at `source` to the new file `target`, which only its owner may read. Writers
/// do not wait: SQLite reads one state of the file, even if others write meanwhile.
pub(crate) fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
    make_file(target).map_err(|error| error.at(target))?;
    let db = connect(source)?;
    let target = target.to_str().ok_or_else(|| StoreError::Other("its path is not UTF-8".to_owned()))?;
    db.execute("VACUUM INTO ?", [target])?;
    Ok(())
}
