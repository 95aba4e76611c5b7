//! What a node keeps, opened: its certificate, its store, its trust list, its keys, and its way to peers.

use std::sync::Arc;

use super::{StartError, layout};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::listen::{self, TlsConfig};
use crate::http::seal::Sealer;
use crate::keys::{Keyring, Modes, SignerName};
use crate::outbound::federation::{self, Federation};
use crate::peers::Member;
use crate::peers::tls::{KeyExchange, OwnCertificate};
use crate::peers::trust::{DEFAULT_GRACE, Trust};
use crate::store::Store;

/// What a node keeps.
pub(super) struct Kept {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) member: Member,
    /// What is done about a private key that others can read.
    pub(super) modes: Modes,
    pub(super) keys: Keyring,
    pub(super) own: Arc<OwnCertificate>,
    pub(super) store: Store,
    pub(super) trust: Arc<Trust>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) exchange: KeyExchange,
    /// TLS of the door for people; `None` is plain.
    pub(super) web_tls: Option<TlsConfig>,
    /// The one caller of peers.
    pub(super) outbound: Arc<Federation>,
}

impl Kept {
    /// Opens it. What a start-up can trip over is looked at before anything is written.
    pub(super) fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let files = config.web.tls.as_ref();
        let web_tls = files.map(|files| listen::web_tls(&files.certificate, &files.key)).transpose()?;
        std::fs::create_dir_all(&config.data)
            .map_err(|source| StartError::Data { path: config.data.clone(), source })?;
        let member = Member::in_folder(&config.data);
        let modes = if config.production { Modes::Enforce } else { Modes::Warn };
        let own = OwnCertificate::load(member.node_certificate(), modes)?;
        if own.identity() != config.identity {
            return Err(StartError::OtherIdentity {
                path: member.node_certificate(),
                found: Box::new(own.identity()),
                expected: Box::new(config.identity.clone()),
            });
        }
        let keys = Keyring::new(member.keys(), modes);
        let list_key = keys.signer(SignerName::List)?.public_key();
        let own_list = Some((config.identity.domain().clone(), list_key));
        let grace = config.trust.grace.try_into().unwrap_or(DEFAULT_GRACE);
        let trust = Trust::open(member.trust(), own_list, grace, clock.clone())?;
        let store = Store::open(&layout::store(&config.data), &config.identity)?;
        let sealer = Arc::new(Sealer::open_or_create(&layout::door_key(&config.data), modes)?);
        let exchange = match config.trust.require_post_quantum {
            true => KeyExchange::RequirePostQuantum,
            false => KeyExchange::PreferPostQuantum,
        };
        let options = federation::Options { key_exchange: exchange, ..federation::Options::default() };
        let outbound = Arc::new(Federation::new(own.clone(), trust.clone(), options));
        Ok(Self { clock, member, modes, keys, own, store, trust, sealer, exchange, web_tls, outbound })
    }
}
