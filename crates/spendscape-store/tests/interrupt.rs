//! What an interrupt removes. A binary of its own: the list of temporaries is the whole process's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use spendscape_store::{PendingFile, ScratchFolder, remove_temporaries};

#[test]
fn an_interrupt_leaves_no_debris() {
    let folder = tempfile::tempdir().unwrap();
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    let pending = PendingFile::create(&folder.path().join("table.parquet")).unwrap();
    let scratch = ScratchFolder::create(folder.path()).unwrap();
    std::fs::write(scratch.path().join("part"), b"rows").unwrap();
    assert_eq!(entries(), 2);
    let kept = remove_temporaries();
    assert_eq!(entries(), 0);
    drop(kept);
    drop((pending, scratch));
}
