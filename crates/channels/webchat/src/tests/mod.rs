//! Stories of visitors, through the routes, on the real intake.

mod http;
mod live;
mod shop;
