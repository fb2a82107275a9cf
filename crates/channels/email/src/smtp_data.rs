//! The end of SMTP DATA, strictly (SECURITY row 8).
//!
//! Only CR LF . CR LF ends a mail. A bare CR or LF anywhere is refused, because the two
//! servers of a smuggled mail disagree exactly about those.

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// The mail is complete.
    Done,
    /// A bare CR or LF: the connection must be closed.
    Bare,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// First byte of a line.
    LineStart,
    /// Inside a line.
    Line,
    /// After CR inside a line.
    Cr,
    /// After a leading dot.
    Dot,
    /// After a leading dot and CR.
    DotCr,
}

/// Collects a mail from DATA: removes the stuffed dots, finds the end.
pub struct DataReader {
    at: At,
    bytes: Vec<u8>,
    seen: usize,
    limit: usize,
}

impl DataReader {
    /// Keeps at most `limit` bytes; what follows is counted and dropped.
    pub fn new(limit: usize) -> Self {
        Self { at: At::LineStart, bytes: Vec::new(), seen: 0, limit }
    }

    /// Takes bytes up to the end of the mail; returns how many it used.
    pub fn feed(&mut self, input: &[u8]) -> (usize, Progress) {
        for (used, &byte) in input.iter().enumerate() {
            self.at = match (self.at, byte) {
                (At::LineStart, b'.') => At::Dot,
                (At::LineStart | At::Line, b'\r') => At::Cr,
                (At::LineStart | At::Line | At::Dot, b'\n') => return (used + 1, Progress::Bare),
                (At::LineStart | At::Line, _) => {
                    self.keep(byte);
                    At::Line
                }
                (At::Cr, b'\n') => {
                    self.keep(b'\r');
                    self.keep(b'\n');
                    At::LineStart
                }
                (At::Dot, b'\r') => At::DotCr,
                (At::DotCr, b'\n') => return (used + 1, Progress::Done),
                (At::Cr | At::DotCr, _) => return (used + 1, Progress::Bare),
                // A stuffed dot: the first one goes, the rest of the line stays.
                (At::Dot, _) => {
                    self.keep(byte);
                    At::Line
                }
            };
        }
        (input.len(), Progress::More)
    }

    fn keep(&mut self, byte: u8) {
        self.seen += 1;
        if self.bytes.len() < self.limit {
            self.bytes.push(byte);
        }
    }

    /// Bytes of the mail so far, kept or not.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// True when bytes were dropped.
    pub fn is_over(&self) -> bool {
        self.seen > self.limit
    }

    /// The mail.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: &[u8]) -> (Progress, usize, Vec<u8>) {
        let mut reader = DataReader::new(1_000);
        let (used, progress) = reader.feed(input);
        // Byte by byte must be the same.
        let mut slow = DataReader::new(1_000);
        let mut total = 0;
        let mut end = Progress::More;
        for byte in input {
            let (used, progress) = slow.feed(&[*byte]);
            (total, end) = (total + used, progress);
            if progress != Progress::More {
                break;
            }
        }
        assert_eq!((total, end, &slow.bytes), (used, progress, &reader.bytes));
        (progress, used, reader.into_bytes())
    }

    #[test]
    fn dots_are_unstuffed() {
        assert_eq!(
            run(b"a\r\n..b\r\n.c\r\n...\r\n.\r\nNEXT"),
            (Progress::Done, 20, b"a\r\n.b\r\nc\r\n..\r\n".to_vec())
        );
        assert_eq!(run(b".\r\n"), (Progress::Done, 3, vec![]));
        assert_eq!(run(b"a.\r\n").0, Progress::More);
    }

    #[test]
    fn eight_ends_that_are_none() {
        let ends: [&[u8]; 8] =
            [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\x00.\r\n", b"\n\n.\r\n\r\n"];
        for end in ends {
            let mut input = b"line".to_vec();
            input.extend_from_slice(end);
            input.extend_from_slice(b"MAIL FROM:<evil@x>\r\n");
            let (progress, used, _) = run(&input);
            assert_ne!(progress, Progress::Done, "{end:?}");
            if progress == Progress::Bare {
                assert!(used <= 4 + end.len() + 1, "{end:?}");
            } else {
                assert_eq!(end, b"\r\n\x00.\r\n");
            }
        }
    }

    #[test]
    fn past_the_limit_is_counted_not_kept() {
        let mut reader = DataReader::new(4);
        assert_eq!(reader.feed(b"abcdef\r\n.\r\n").1, Progress::Done);
        assert!(reader.is_over() && reader.seen() == 8);
        assert_eq!(reader.into_bytes(), b"abcd");
        let mut reader = DataReader::new(8);
        reader.feed(b"abcdef\r\n.\r\n");
        assert!(!reader.is_over());
    }
}
