//! Reading ahead: the next block is decoded while the last one is used.

use std::sync::mpsc::{channel, sync_channel};

use super::{Block, Blocks};
use crate::panels::Panels;

impl Blocks<'_> {
    /// Calls `with` on every block in file order, while the next one is read on a thread of its own: two
    /// blocks are in memory at a time, and the panels of used ones are filled again.
    ///
    /// # Errors
    /// The first error, of reading or of `with`; nothing is read or called after it.
    pub fn ahead(mut self, mut with: impl FnMut(&mut Block) -> crate::Result<()>) -> crate::Result<()> {
        // A worker that waits for a block could be the one that its pool needs to decode it.
        if rayon::current_thread_index().is_some() {
            for block in self {
                with(&mut block?)?;
            }
            return Ok(());
        }
        keep_freed_memory();
        let (used, spares) = channel();
        self.spares = Some(spares);
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
                let mut block = block?;
                with(&mut block)?;
                let panels =
                    std::iter::once(block.panels).chain(block.also.into_iter().map(|rows| rows.panels));
                // A reader that has read everything wants none.
                let _ = used.send(panels.collect::<Vec<Panels>>());
            }
            Ok(())
        })
    }
}

/// Lets glibc keep what each block frees for the next one, which it otherwise gives back to the system
/// and gets page by page again: a sixth of an evaluation. From the largest allocation of its own kind that
/// was freed, it learns from which size on memory is not worth keeping; other allocators do not mind.
fn keep_freed_memory() {
    const LARGEST: usize = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}
