//! Routing on real storage: a real spine, both engines, a clock that moves when told.

mod house;
mod keeper;
mod routed;
mod served;
mod there;
mod volume;
