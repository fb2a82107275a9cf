//! The intake as channel crates are handed it.

use crate::{channels, intake};
use channel::{ChannelConfig, Inbound, Intake, Received};
use domain::{ChannelId, ChannelKind, WorkspaceId};
use spine::{Refusal, Spine, Unit};
use std::future::Future;
use std::pin::Pin;

/// Stateless: everything is in the spine.
#[derive(Debug, Clone, Copy)]
pub struct Handle;

type Found<'a> = Pin<Box<dyn Future<Output = Result<ChannelConfig, Refusal>> + Send + 'a>>;

impl Intake for Handle {
    fn receive_in(
        &self,
        unit: &mut Unit<'_, '_>,
        config: &ChannelConfig,
        inbound: &Inbound,
    ) -> Result<Received, Refusal> {
        intake::receive_in(unit, config, inbound)
    }

    fn by_key<'a>(&'a self, spine: &'a Spine, kind: ChannelKind, key: &'a str) -> Found<'a> {
        Box::pin(channels::by_key(spine, kind, key))
    }

    fn by_id<'a>(&'a self, spine: &'a Spine, workspace: WorkspaceId, id: ChannelId) -> Found<'a> {
        Box::pin(channels::by_id(spine, workspace, id))
    }
}
