//! Copies of the whole file, made while others write.

use std::path::Path;

use super::connection::connect;
use crate::StoreError;
use crate::file::make_file;

/// Writes what is in the store at `source` now to the new file `target`, which only its owner may read. Nobody waits for
/// it: SQLite reads one state of the file, whatever is written meanwhile.
pub(crate) fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
    make_file(target).map_err(|error| error.at(target))?;
    let db = connect(source)?;
    let target = target.to_str().ok_or_else(|| StoreError::Other("its path is not UTF-8".to_owned()))?;
    db.execute("VACUUM INTO ?", [target])?;
    Ok(())
}
