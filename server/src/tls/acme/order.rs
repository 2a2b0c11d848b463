//! One order for a certificate: the account, the proof that the name is ours, the certificate. Nothing is left behind when it fails.

use super::{Settings, Store, Way};
use crate::tls::{Shown, Tls, provider};
use anyhow::{Context, bail};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeHandle, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rustls::{pki_types::PrivateKeyDer, sign::CertifiedKey};
use std::{sync::Arc, time::Duration};

/// How long one order may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How long each of its parts is waited for.
const PATIENCE: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(Duration::from_secs(90));

const UNREACHED: &str = "the authority could not reach this server under that name: ";

/// Asks for a certificate, keeps it, and answers with it.
pub(super) async fn certificate(settings: &Settings, store: &Store, tls: &Tls, way: Way) -> anyhow::Result<Shown> {
    let ordered = tokio::time::timeout(LIMIT, order(settings, store, tls, way)).await;
    tls.forget_proofs();
    ordered.context("the authority did not finish within five minutes")?
}

async fn order(settings: &Settings, store: &Store, tls: &Tls, way: Way) -> anyhow::Result<Shown> {
    let account = account(settings, store).await.context("the authority gave us no account")?;
    let identifiers = [Identifier::Dns(settings.name.clone())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await.context("the order was refused")?;
    prove(&mut order, settings, tls, way).await?;
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => bail!("{UNREACHED}{}", why_not(&mut order).await),
        Err(Error::Api(problem)) => bail!("{UNREACHED}{}", problem.detail.unwrap_or_default()),
        Err(error) => return Err(error).context("the authority did not look at the proof"),
    }
    let key = zeroize::Zeroizing::new(order.finalize().await.context("the request for the certificate was refused")?);
    let chain = order.poll_certificate(&PATIENCE).await.context("the certificate was not handed out")?;
    store.keep_certificate(&chain, &key)
}

async fn account(settings: &Settings, store: &Store) -> anyhow::Result<Account> {
    let builder = || match &settings.root {
        Some(root) => Account::builder_with_root(root),
        None => Account::builder(),
    };
    if let Some(credentials) = store.account(settings)
        && let Ok(account) = builder()?.from_credentials(credentials).await
    {
        return Ok(account);
    }
    let contact = format!("mailto:{}", settings.email);
    let new = NewAccount { contact: &[&contact], terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder()?.create(&new, settings.directory.clone(), None).await?;
    store.keep_account(settings, credentials)?;
    Ok(account)
}

async fn prove(order: &mut Order, settings: &Settings, tls: &Tls, way: Way) -> anyhow::Result<()> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            status => bail!("the authority will not check the name ({status:?})"),
        }
        let kind = match way {
            Way::Handshake => ChallengeType::TlsAlpn01,
            Way::Http => ChallengeType::Http01,
        };
        let mut challenge =
            authorization.challenge(kind.clone()).with_context(|| format!("the authority does not offer {kind:?}"))?;
        show(&challenge, settings, tls, way)?;
        challenge.set_ready().await?;
    }
    Ok(())
}

fn show(challenge: &ChallengeHandle<'_>, settings: &Settings, tls: &Tls, way: Way) -> anyhow::Result<()> {
    let proof = challenge.key_authorization();
    let mut proofs = tls.0.proofs.write();
    match way {
        Way::Http => {
            proofs.http.insert(challenge.token.clone(), proof.as_str().to_owned());
        }
        Way::Handshake => {
            let mut parameters = rcgen::CertificateParams::new([settings.name.clone()])?;
            parameters.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(proof.digest().as_ref())];
            let key = rcgen::KeyPair::generate()?;
            let certificate = parameters.self_signed(&key)?;
            let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
            // Not through `Facts`: TLS libraries need not know the critical extension, and nobody is shown this certificate.
            let signing = provider().key_provider.load_private_key(key)?;
            proofs.handshake =
                Some((settings.name.clone(), Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing))));
        }
    }
    Ok(())
}

/// What the authority says went wrong.
async fn why_not(order: &mut Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { continue };
        if let Ok(state) = authorization.refresh().await {
            said.extend(state.challenges.iter().filter_map(|challenge| challenge.error.as_ref()?.detail.clone()));
        }
    }
    if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") }
}

impl Tls {
    fn forget_proofs(&self) {
        *self.0.proofs.write() = super::super::Proofs::default();
    }
}
