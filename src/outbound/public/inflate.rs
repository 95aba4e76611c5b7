//! Unpacking what comes compressed, piece by piece, never more than was allowed.
//!
//! A thousand bytes of gzip can stand for a million. So every piece is unpacked into a bounded drawer, the sum is held
//! to the limit of the whole answer, and what grows more than honest text does is refused before it reaches the limit.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zstd::stream::{raw, zio};

/// How many times larger an answer may become; measured on what was unpacked after the first [`FREE`] bytes.
const RATIO: u64 = 300;
/// Up to here the ratio is not looked at: a small answer of blanks is nobody's attack.
const FREE: u64 = 4 << 20;
/// Compressed bytes unpacked at a time, so that one step makes at most some megabytes.
const STEP: usize = 4 << 10;
/// The largest window that Zstandard may ask for, 8 MiB, as a power of two (RFC 9659).
const WINDOW_LOG: u32 = 23;

/// Why unpacking stopped.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It grew too large.
    TooLarge,
    /// It is not what it says it is, or broke off.
    Broken(String),
}

/// What unpacks an answer.
pub(super) enum Inflate {
    Plain {
        came: u64,
        limit: u64,
    },
    Gzip(Box<MultiGzDecoder<Drawer>>),
    Zlib(ZlibDecoder<Drawer>),
    Deflate(DeflateDecoder<Drawer>),
    /// `deflate`, before the first bytes say which of the two forms that servers call so it is.
    Unknown(Drawer),
    Zstd(Box<zio::Writer<Drawer, raw::Decoder<'static>>>),
}

/// What was unpacked and not yet taken, and the count of both sides.
#[derive(Debug)]
pub(super) struct Drawer {
    out: Vec<u8>,
    came: u64,
    made: u64,
    limit: u64,
}

impl Drawer {
    fn new(limit: u64) -> Self {
        Self { out: Vec::new(), came: 0, made: 0, limit }
    }
}

impl Write for Drawer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.made += bytes.len() as u64;
        let grown = self.made > FREE && self.made / RATIO > self.came;
        if self.made > self.limit || grown {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large"));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inflate {
    /// For an answer with this `Content-Encoding`, of at most `limit` bytes unpacked; an error names an encoding that
    /// was not asked for.
    pub(super) fn new(encoding: Option<&str>, limit: u64) -> Result<Self, Stopped> {
        let drawer = Drawer::new(limit);
        Ok(match encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Self::Plain { came: 0, limit },
            Some("gzip" | "x-gzip") => Self::Gzip(Box::new(MultiGzDecoder::new(drawer))),
            Some("deflate") => Self::Unknown(drawer),
            Some("zstd") => {
                let broken = |error: io::Error| Stopped::Broken(error.to_string());
                let mut decoder = raw::Decoder::new().map_err(broken)?;
                decoder.set_parameter(raw::DParameter::WindowLogMax(WINDOW_LOG)).map_err(broken)?;
                Self::Zstd(Box::new(zio::Writer::new(drawer, decoder)))
            }
            Some(other) => {
                let other: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(Stopped::Broken(format!("it is compressed as {other}, which was not asked for")));
            }
        })
    }

    /// Takes a piece as it came and gives what it unpacks to.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Vec<u8>, Stopped> {
        if let Self::Plain { came, limit } = self {
            *came += piece.len() as u64;
            return if *came > *limit { Err(Stopped::TooLarge) } else { Ok(piece.to_vec()) };
        }
        self.settle(piece);
        let mut out = Vec::new();
        for step in piece.chunks(STEP) {
            let drawer = self.drawer();
            drawer.came += step.len() as u64;
            if drawer.came > drawer.limit {
                return Err(Stopped::TooLarge);
            }
            self.write(step).map_err(stopped)?;
            out.append(&mut self.drawer().out);
        }
        Ok(out)
    }

    /// The rest, and whether it was whole.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Stopped> {
        match &mut self {
            Self::Plain { .. } | Self::Unknown(_) => return Ok(Vec::new()),
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Zlib(decoder) => decoder.try_finish(),
            Self::Deflate(decoder) => decoder.try_finish(),
            Self::Zstd(writer) => writer.finish(),
        }
        .map_err(stopped)?;
        Ok(std::mem::take(&mut self.drawer().out))
    }

    /// Finds out which deflate it is: a zlib header is a multiple of 31 and names method 8 (RFC 1950).
    fn settle(&mut self, piece: &[u8]) {
        let Self::Unknown(drawer) = self else { return };
        let Some(first) = piece.first() else { return };
        let drawer = std::mem::replace(drawer, Drawer::new(0));
        let is_zlib = first & 0x0f == 8
            && piece.get(1).is_none_or(|second| (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0);
        *self = if is_zlib { Self::Zlib(ZlibDecoder::new(drawer)) } else { Self::Deflate(DeflateDecoder::new(drawer)) };
    }

    fn write(&mut self, step: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain { .. } | Self::Unknown(_) => Ok(()),
            Self::Gzip(decoder) => decoder.write_all(step).and_then(|()| decoder.flush()),
            Self::Zlib(decoder) => decoder.write_all(step).and_then(|()| decoder.flush()),
            Self::Deflate(decoder) => decoder.write_all(step).and_then(|()| decoder.flush()),
            Self::Zstd(writer) => writer.write_all(step).and_then(|()| writer.flush()),
        }
    }

    fn drawer(&mut self) -> &mut Drawer {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Zstd(writer) => writer.writer_mut(),
            Self::Unknown(drawer) => drawer,
            Self::Plain { .. } => unreachable!("plain bytes have no drawer"),
        }
    }
}

fn stopped(error: io::Error) -> Stopped {
    if error.kind() == io::ErrorKind::FileTooLarge {
        Stopped::TooLarge
    } else {
        Stopped::Broken(format!("it cannot be unpacked ({error})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn packed(encoding: &str, text: &[u8]) -> Vec<u8> {
        match encoding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            "raw" => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            _ => zstd::encode_all(text, 3).unwrap(),
        }
    }

    fn unpack(encoding: &str, bytes: &[u8], limit: u64, piece: usize) -> Result<Vec<u8>, Stopped> {
        let name = if matches!(encoding, "zlib" | "raw") { "deflate" } else { encoding };
        let mut inflate = Inflate::new(Some(name), limit)?;
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            out.extend(inflate.take(piece)?);
        }
        out.extend(inflate.finish()?);
        Ok(out)
    }

    const ALL: [&str; 4] = ["gzip", "zlib", "raw", "zstd"];

    #[test]
    fn what_was_packed_comes_out_whatever_the_pieces() {
        let text: Vec<u8> =
            (0..200_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_be_bytes()).collect();
        for encoding in ALL {
            let bytes = packed(encoding, &text);
            for piece in [2, 1000, bytes.len()] {
                let out =
                    unpack(encoding, &bytes, 1 << 20, piece).unwrap_or_else(|error| panic!("{encoding}: {error:?}"));
                assert!(out == text, "{encoding} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped_by_its_ratio_long_before_the_limit() {
        let text = vec![b' '; 64 << 20];
        for encoding in ALL {
            let bytes = packed(encoding, &text);
            assert!(matches!(unpack(encoding, &bytes, u64::MAX, 4096), Err(Stopped::TooLarge)), "{encoding}");
        }
    }

    #[test]
    fn the_limit_holds_for_what_comes_out() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        for encoding in ALL {
            let bytes = packed(encoding, &text);
            assert!(matches!(unpack(encoding, &bytes, 399_999, 4096), Err(Stopped::TooLarge)), "{encoding}");
            assert!(unpack(encoding, &bytes, 400_000, 4096).is_ok(), "{encoding}");
        }
    }

    #[test]
    fn a_window_larger_than_the_web_allows_is_not_opened() {
        let text: Vec<u8> = (0..5_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        for (log, taken) in [(23, true), (24, false)] {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(log).unwrap();
            encoder.write_all(&text).unwrap();
            let bytes = encoder.finish().unwrap();
            assert_eq!(unpack("zstd", &bytes, 1 << 30, 4096).is_ok(), taken, "{log}");
        }
    }

    #[test]
    fn what_breaks_off_is_noticed() {
        let text: Vec<u8> = (0..10_000_u32).flat_map(u32::to_be_bytes).collect();
        for encoding in ALL {
            let bytes = packed(encoding, &text);
            let cut = unpack(encoding, &bytes[..bytes.len() - 5], 1 << 20, 4096);
            assert!(matches!(cut, Err(Stopped::Broken(_))), "{encoding}: {cut:?}");
        }
    }
}
