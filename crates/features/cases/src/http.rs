//! The routes of this feature, each with its gate; one endpoint (or one small resource) per file.

mod assign;
mod attachments;
mod canned;
mod canned_render;
mod draft;
mod edit;
mod get;
mod list;
mod message_html;
mod note;
mod pick;
mod reasons;
mod reply;
mod retry;
mod seen;
mod snooze;
mod status;
mod timeline;
mod undo;
mod view_counts;
mod views;

use domain::Permission as P;
use domain::limits::ATTACHMENT_BYTES;
use spine::Spine;
use utoipa_axum::routes;
use web::{Gate, Kit, Routes};

/// Room for the multipart frame around one attachment.
const UPLOAD_BYTES: usize = ATTACHMENT_BYTES + 64 * 1024;

/// All routes under `/api/cases`, `/api/views`, `/api/messages`, `/api/reasons`, `/api/canned`, `/api/attachments`
/// that this feature serves.
pub fn routes(kit: &Kit, spine: Spine) -> Routes {
    Routes::new(kit)
        .add(Gate::Needs(P::CaseRead), routes!(list::list_cases))
        .add(Gate::Needs(P::CaseRead), routes!(get::get_case))
        .add(Gate::Needs(P::CaseEdit), routes!(edit::edit_case))
        .add(Gate::Needs(P::CaseRead), routes!(timeline::get_timeline))
        .add(Gate::Needs(P::CaseReply), routes!(reply::reply_to_case))
        .add(Gate::Needs(P::CaseNote), routes!(note::add_note))
        .add(Gate::Needs(P::CaseReply), routes!(undo::undo_message))
        .add(Gate::Needs(P::CaseReply), routes!(retry::retry_message))
        .add(Gate::Needs(P::CaseEdit), routes!(status::set_status))
        .add(Gate::Needs(P::CaseEdit), routes!(snooze::snooze_case))
        .add(Gate::Needs(P::CaseAssign), routes!(assign::assign_case))
        .add(Gate::Needs(P::CaseReply), routes!(pick::pick_case))
        .add(Gate::Needs(P::CaseRead), routes!(draft::get_draft, draft::put_draft, draft::delete_draft))
        .add(Gate::Needs(P::CaseRead), routes!(seen::mark_seen))
        .add(Gate::Needs(P::CaseRead), routes!(seen::mark_unread))
        .add(Gate::Needs(P::CaseRead), routes!(message_html::get_message_html))
        .add(Gate::Needs(P::CaseRead), routes!(views::list_views, views::create_view))
        .add(Gate::Needs(P::CaseRead), routes!(views::change_view, views::delete_view))
        .add(Gate::Needs(P::CaseRead), routes!(view_counts::count_views))
        .add(Gate::Needs(P::CaseRead), routes!(reasons::list_reasons))
        .add(Gate::Needs(P::SettingsManage), routes!(reasons::create_reason))
        .add(Gate::Needs(P::SettingsManage), routes!(reasons::change_reason, reasons::delete_reason))
        .add(Gate::Needs(P::CaseRead), routes!(canned::list_canned))
        .add(Gate::Needs(P::CannedManage), routes!(canned::create_canned))
        .add(Gate::Needs(P::CannedManage), routes!(canned::change_canned, canned::delete_canned))
        .add(Gate::Needs(P::CaseRead), routes!(canned_render::render_canned))
        .add_with_body(Gate::Needs(P::CaseRead), UPLOAD_BYTES, routes!(attachments::upload_attachment))
        .add(Gate::Needs(P::CaseRead), routes!(attachments::get_attachment))
        .with_state(spine)
}
