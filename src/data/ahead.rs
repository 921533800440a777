//! Reading ahead: the next block is decoded while the last one is used.

use std::sync::mpsc::sync_channel;

use super::{Block, Blocks};

impl Blocks<'_> {
    /// Calls `with` on every block in file order, while the next one is read on a thread of its own: two
    /// blocks are in memory at a time.
    ///
    /// # Errors
    /// The first error, of reading or of `with`; nothing is read or called after it.
    pub fn ahead(self, mut with: impl FnMut(Block) -> crate::Result<()>) -> crate::Result<()> {
        // A worker that waits for a block could be the one that its pool needs to decode it.
        if rayon::current_thread_index().is_some() {
            for block in self {
                with(block?)?;
            }
            return Ok(());
        }
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(0);
            scope.spawn(move || {
                for block in self {
                    if send.send(block).is_err() {
                        break;
                    }
                }
            });
            for block in receive {
                with(block?)?;
            }
            Ok(())
        })
    }
}
