//! The one intake as a channel's routes see it. Feature `conversations` implements it; a channel crate is handed it
//! by the program, because channels and features never depend on each other.

use crate::{ChannelConfig, Inbound};
use domain::{Actor, CaseId, ChannelId, ChannelKind, ConversationId, CustomerId, MessageId, WorkspaceId};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use spine::{Order, Refusal, Spine, Unit};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub case: CaseId,
    pub number: i64,
    pub conversation: ConversationId,
    pub message: MessageId,
    pub customer: CustomerId,
    pub new_case: bool,
}

/// Takes messages in and knows the configured channels.
pub trait Intake: Send + Sync {
    /// Takes a message in, inside the caller's transaction. The same message id again changes nothing and answers
    /// the same.
    ///
    /// # Errors
    /// Those of the database, or a rule's rejection (a message over the limits).
    fn receive_in(
        &self,
        unit: &mut Unit<'_, '_>,
        config: &ChannelConfig,
        inbound: &Inbound,
    ) -> Result<Received, Refusal>;

    /// An active channel by its public key.
    ///
    /// [`Refusal::NotFound`] when there is none.
    fn by_key<'a>(
        &'a self,
        spine: &'a Spine,
        kind: ChannelKind,
        key: &'a str,
    ) -> BoxFuture<'a, Result<ChannelConfig, Refusal>>;

    /// A channel, also one that is switched off.
    ///
    /// [`Refusal::NotFound`] when there is none.
    fn by_id<'a>(
        &'a self,
        spine: &'a Spine,
        workspace: WorkspaceId,
        id: ChannelId,
    ) -> BoxFuture<'a, Result<ChannelConfig, Refusal>>;
}

impl dyn Intake {
    /// [`Intake::receive_in`] in a transaction of its own.
    ///
    /// # Errors
    /// As [`Intake::receive_in`].
    pub async fn receive(
        self: std::sync::Arc<Self>,
        spine: &Spine,
        config: &ChannelConfig,
        inbound: Inbound,
    ) -> Result<Received, Refusal> {
        let config = config.clone();
        let order = Order::new(config.workspace, Actor::System);
        spine.execute(order, move |unit| self.receive_in(unit, &config, &inbound)).await
    }
}
