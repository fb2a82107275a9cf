//! Several demos on one machine: each has ports of its own.

use std::io;
use std::net::TcpListener;

/// Listens on this port of this machine, or on any free one when it is taken.
///
/// # Errors
/// When no port is free.
pub(super) fn listen(usual: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", usual)) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => TcpListener::bind(("127.0.0.1", 0)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_left_to_its_owner() {
        let first = listen(0).unwrap();
        let usual = first.local_addr().unwrap().port();
        let second = listen(usual).unwrap();
        assert_ne!(second.local_addr().unwrap().port(), usual);
        drop(first);
        assert_eq!(listen(usual).unwrap().local_addr().unwrap().port(), usual);
    }
}
