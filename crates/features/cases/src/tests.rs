//! Tests of this feature, on both engines where storage is involved.

mod endpoints;
mod filters;
mod folding;
mod office;
mod paging;
mod serving;
mod statements;
mod timers;
mod views;
