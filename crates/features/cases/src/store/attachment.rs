//! Attachments: rows here, content in the spine's files.

use crate::wire::Attachment;
use db::{Builder, Connection, Query, Tx, params, row, sql};
use domain::{AttachmentId, MessageId, Timestamp, WorkspaceId};
use spine::Refusal;
use std::collections::BTreeMap;

row! {
    /// What serving needs to know.
    pub(crate) struct File {
        pub(crate) id: AttachmentId,
        pub(crate) message_id: Option<MessageId>,
        pub(crate) hash: [u8; 32],
        pub(crate) size: i64,
        pub(crate) name: String,
        pub(crate) mime: String,
        pub(crate) inline: bool,
        pub(crate) content_id: Option<String>,
        pub(crate) width: Option<i32>,
        pub(crate) height: Option<i32>,
        pub(crate) owner: String,
    }
}

/// A file that was just uploaded.
pub(crate) struct Upload {
    pub(crate) id: AttachmentId,
    pub(crate) hash: [u8; 32],
    pub(crate) size: i64,
    pub(crate) name: String,
    pub(crate) mime: String,
    pub(crate) pixels: Option<(i32, i32)>,
    pub(crate) owner: String,
}

sql!(ADD = "INSERT INTO attachment (workspace_id, id, message_id, hash, size, name, mime, inline, content_id, width, height, owner, created_at) \
    VALUES ($1, $2, NULL, $3, $4, $5, $6, FALSE, NULL, $7, $8, $9, $10)", params: 10);
sql!(BY_ID = "SELECT id, message_id, hash, size, name, mime, inline, content_id, width, height, owner FROM attachment \
    WHERE workspace_id = $1 AND id = $2", params: 2, row: File);
sql!(OF_MESSAGE = "SELECT id, message_id, hash, size, name, mime, inline, content_id, width, height, owner FROM attachment \
    WHERE workspace_id = $1 AND message_id = $2 ORDER BY created_at, id", params: 2, row: File);
sql!(WAITING = "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM attachment \
    WHERE workspace_id = $1 AND owner = $2 AND message_id IS NULL", params: 2);

impl File {
    /// An image type that browsers show without running anything, and that was decoded here or at intake:
    /// only then are its pixels known (SECURITY row 2).
    pub(crate) fn is_safe_image(&self) -> bool {
        self.width.is_some() && matches!(self.mime.as_str(), "image/png" | "image/jpeg" | "image/gif" | "image/webp")
    }

    pub(crate) fn wire(self) -> Attachment {
        Attachment {
            id: self.id,
            url: format!("/api/attachments/{}", self.id),
            name: self.name,
            mime: self.mime,
            size: self.size,
            inline: self.inline,
            width: self.width,
            height: self.height,
        }
    }
}

pub(crate) fn add(tx: &mut Tx<'_>, ws: WorkspaceId, upload: &Upload, now: Timestamp) -> Result<(), Refusal> {
    let (width, height) = upload.pixels.unzip();
    tx.execute(
        &ADD,
        params![ws, upload.id, upload.hash, upload.size, &upload.name, &upload.mime, width, height, &upload.owner, now],
    )?;
    Ok(())
}

pub(crate) fn by_id(q: &mut impl Connection, ws: WorkspaceId, id: AttachmentId) -> Result<Option<File>, Refusal> {
    Ok(q.query_opt(&BY_ID, params![ws, id])?)
}

pub(crate) fn of_message(q: &mut impl Connection, ws: WorkspaceId, id: MessageId) -> Result<Vec<File>, Refusal> {
    Ok(q.query(&OF_MESSAGE, params![ws, id])?)
}

/// How many files, of how many bytes together, somebody has uploaded without sending them.
pub(crate) fn waiting(q: &mut impl Connection, ws: WorkspaceId, owner: &str) -> Result<(i64, i64), Refusal> {
    Ok(q.query_one(&WAITING, params![ws, owner])?)
}

pub(crate) fn of_messages(
    q: &mut impl Connection,
    ws: WorkspaceId,
    messages: &[MessageId],
) -> Result<BTreeMap<MessageId, Vec<Attachment>>, Refusal> {
    let mut found: BTreeMap<MessageId, Vec<Attachment>> = BTreeMap::new();
    for file in select(q, ws, " AND message_id IN ", messages)? {
        if let Some(message) = file.message_id {
            found.entry(message).or_default().push(file.wire());
        }
    }
    Ok(found)
}

/// Those of these files that somebody uploaded and has not sent yet, in the order asked for.
pub(crate) fn unsent(
    q: &mut impl Connection,
    ws: WorkspaceId,
    owner: &str,
    ids: &[AttachmentId],
) -> Result<Vec<Attachment>, Refusal> {
    let files = select(q, ws, " AND id IN ", ids)?;
    let mut wire: Vec<Attachment> =
        files.into_iter().filter(|file| file.message_id.is_none() && file.owner == owner).map(File::wire).collect();
    wire.sort_by_key(|file| ids.iter().position(|id| *id == file.id));
    Ok(wire)
}

fn select<V: Into<db::Value> + Copy>(
    q: &mut impl Connection,
    ws: WorkspaceId,
    test: &'static str,
    ids: &[V],
) -> Result<Vec<File>, Refusal> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut b = Builder::new(
        "SELECT id, message_id, hash, size, name, mime, inline, content_id, width, height, owner FROM attachment WHERE workspace_id = ",
    );
    b.bind(ws).push(test).in_list(ids.iter().copied()).push(" ORDER BY created_at, id");
    let (statement, values) = b.build();
    Ok(q.query(&statement, &values)?)
}
