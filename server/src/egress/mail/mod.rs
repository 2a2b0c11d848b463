//! Mail through the door: the instance's own mail server, which an operator names in one setting, or a connection's. Being the setting
//! is its permission to be in the private network; a connection's server is checked like every other address.

mod compose;
mod deliver;
mod setting;

pub use setting::{BadSetting, MailSettings, SETTING, Security, SignIn, Whose};

use super::Egress;
use futures_util::future::BoxFuture;
use std::time::Instant;
use towpath_connectors::sdk::{Mail, MailMessage};
use towpath_engine::error::StepError;

impl Mail for Egress {
    fn send<'a>(&'a self, message: MailMessage, deadline: Instant) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async move {
            let Some(settings) = &self.0.mail else {
                return Err(StepError::invalid_input("This installation has no mail server, so no mail can be sent.").hint(
                    format!(
                        "Choose a connection for the step. Or an operator names a server for all in the setting {SETTING}, for example \
                         smtp://user:password@mail.example.com."
                    ),
                ));
            };
            self.send_mail(settings, &message, deadline).await
        })
    }

    fn default_from(&self) -> Option<String> {
        self.0.mail.as_ref().map(|settings| settings.from.to_string())
    }
}

impl Egress {
    /// Sends by these settings.
    pub(crate) async fn send_mail(
        &self,
        settings: &MailSettings,
        message: &MailMessage,
        deadline: Instant,
    ) -> Result<String, StepError> {
        let composed = compose::compose(message, settings, self.0.clock.now())?;
        deliver::deliver(&self.0.connector, &self.0.roots, settings, composed, deadline.into()).await
    }

    /// Connects, secures the way and signs in by these settings, and sends nothing.
    pub(crate) async fn check_mail(&self, settings: &MailSettings, deadline: Instant) -> Result<(), StepError> {
        deliver::check(&self.0.connector, &self.0.roots, settings, deadline.into()).await
    }
}
