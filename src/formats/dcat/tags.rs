//! Whether an XML document came to its end: its first element was closed, and no other was opened after that.

/// How much of a tag is looked at: more than its name.
const HEAD: usize = 128;

/// The tags of a document as its bytes pass.
#[derive(Default)]
pub(super) struct Tags {
    /// The name of the first element.
    root: Option<Vec<u8>>,
    /// The last element that was closed is the first that was opened.
    is_closed: bool,
    /// The beginning of the tag that is being read, and its last two bytes.
    tag: Option<(Vec<u8>, [u8; 2])>,
}

impl Tags {
    /// Takes the next byte of the document.
    pub(super) fn next(&mut self, byte: u8) {
        match (&mut self.tag, byte) {
            (Some((head, last)), b'>') if is_over(head, *last) => {
                let (head, last) = (std::mem::take(head), *last);
                self.tag = None;
                self.end_of(&head, last[1] == b'/');
            }
            (Some((head, last)), _) if is_opaque(head) || byte != b'<' => {
                *last = [last[1], byte];
                if head.len() < HEAD {
                    head.push(byte);
                }
            }
            (_, b'<') => self.tag = Some((Vec::new(), [0; 2])),
            _ => {}
        }
    }

    /// Whether the document has no more bytes and is not at its end.
    pub(super) fn break_off(&self) -> bool {
        self.root.is_some() && !self.is_closed
    }

    fn end_of(&mut self, head: &[u8], is_empty: bool) {
        let is_ending = head.first() == Some(&b'/');
        let name: Vec<u8> = head
            .iter()
            .skip(usize::from(is_ending))
            .copied()
            .take_while(|b| !b.is_ascii_whitespace() && *b != b'/')
            .collect();
        if matches!(head.first(), None | Some(b'!' | b'?')) {
            return;
        }
        if is_ending {
            self.is_closed = self.root.as_deref() == Some(&name[..]);
        } else if self.root.is_none() {
            self.root = Some(name);
            self.is_closed = is_empty;
        } else {
            self.is_closed = false;
        }
    }
}

/// A comment or a passage of plain characters, in which a tag is none.
fn is_opaque(head: &[u8]) -> bool {
    head.starts_with(b"!--") || head.starts_with(b"![CDATA[")
}

/// Whether `>` ends it.
fn is_over(head: &[u8], last: [u8; 2]) -> bool {
    if head.starts_with(b"!--") {
        last == *b"--"
    } else if head.starts_with(b"![CDATA[") {
        last == *b"]]"
    } else {
        true
    }
}
