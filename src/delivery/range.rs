//! Which bytes of a shard are asked for: the `Range` header of RFC 9110, one range at a time.

/// The answer to a `Range` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The whole shard: no range, or one that is not understood and so is ignored, as the standard wants it.
    Whole,
    /// From the first byte to one past the last; never empty.
    Part(u64, u64),
    /// Beyond the end, empty, or more than one range.
    Unsatisfiable,
}

/// Reads a `Range` header for a shard of `size` bytes.
pub fn read(header: Option<&str>, size: u64) -> Asked {
    let Some(ranges) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    if ranges.contains(',') {
        return Asked::Unsatisfiable;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else {
        return Asked::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // A number beyond u64 is a valid number beyond the end.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Some(first), None) if last.is_empty() => (first, size),
        (None, Some(suffix)) if first.is_empty() => (size.saturating_sub(suffix), size),
        _ => return Asked::Whole,
    };
    if part.0 < part.1 { Asked::Part(part.0, part.1) } else { Asked::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        for (header, asked) in [
            ("bytes=0-0", Asked::Part(0, 1)),
            ("bytes=2-", Asked::Part(2, 10)),
            ("bytes=-3", Asked::Part(7, 10)),
            ("bytes=-30", Asked::Part(0, 10)),
            ("bytes=5-99999999999999999999999", Asked::Part(5, 10)),
            ("bytes=10-", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=0-1,4-5", Asked::Unsatisfiable),
            ("bytes=5-2", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("lines=1-2", Asked::Whole),
        ] {
            assert_eq!(read(Some(header), 10), asked, "{header}");
        }
        assert_eq!(read(None, 10), Asked::Whole);
        assert_eq!(read(Some("bytes=0-"), 0), Asked::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn a_range_is_the_slice_that_a_reader_would_cut(size in 0u64..200, first in 0u64..250, last in 0u64..250) {
            let content: Vec<u64> = (0..size).collect();
            let expected: Vec<u64> = content.iter().copied().filter(|i| (first..=last).contains(i)).collect();
            match read(Some(&format!("bytes={first}-{last}")), size) {
                Asked::Part(from, to) => prop_assert_eq!(&content[from as usize..to as usize], &expected[..]),
                Asked::Unsatisfiable => prop_assert!(expected.is_empty() && first <= last),
                Asked::Whole => prop_assert!(first > last),
            }
        }

        #[test]
        fn no_header_makes_a_range_outside_the_shard(header in "bytes=[-0-9, a]{0,24}", size in any::<u64>()) {
            if let Asked::Part(from, to) = read(Some(&header), size) {
                prop_assert!(from < to && to <= size);
            }
        }
    }
}
