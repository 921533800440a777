//! Read-ahead: the next block is decoded while the caller uses the current one.

use std::sync::mpsc::{channel, sync_channel};

use super::{Block, Blocks};
use crate::panels::Panels;

impl Blocks<'_> {
    /// Calls `with` on every block in file order, while a separate thread reads the next one. Two blocks
    /// are in memory at a time; the panels of used blocks are reused.
    ///
    /// # Errors
    /// The first error, of reading or of `with`. `with` is not called after it.
    pub fn ahead(mut self, mut with: impl FnMut(&mut Block) -> crate::Result<()>) -> crate::Result<()> {
        // A rayon worker that waits here could be the one that is needed to decode the block.
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
                // Fails only once the reader has read everything and needs no panels.
                let _ = used.send(panels.collect::<Vec<Panels>>());
            }
            Ok(())
        })
    }
}

/// Makes glibc keep freed blocks for the next allocation. Otherwise it returns them to the system and gets
/// them back page by page, which took a sixth of an evaluation's time. glibc raises its mmap threshold to the
/// size of the largest mapped chunk freed so far, so one large allocation is freed here. Other allocators are
/// not affected.
fn keep_freed_memory() {
    const LARGEST: usize = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}
