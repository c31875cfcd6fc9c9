//! Requests that show what a server does to probabilities, and what the model begins with.

use serde_json::Value;

use super::super::exchange::{RequestTemplate, Route, Tier};
use super::super::report::Letters;
use super::ask_again;
use super::letters::{QUESTION, letters};
use super::sampling::{Listed, Settings, samplers, settings};
use super::{PROMPTS, Probe, TierChoice};

impl Probe<'_> {
    /// Requests to the model without sampling settings, as this server wants them, with the user's
    /// fields.
    pub(in crate::http) fn template(&self, model: &str, top: u32) -> RequestTemplate {
        RequestTemplate::new(self.route, model, top)
            .speaking(self.dialect)
            .extra(self.options.extra_body.as_ref())
    }

    /// The answer to a request with `template`; `None` where it fails.
    async fn ask(&self, template: &RequestTemplate, prompt: &str) -> Option<Value> {
        let url = self.endpoint.base().route(self.route.path());
        let body = template.whole(prompt, &template.ending(Some(template.top())));
        let resource = self.endpoint.post(url);
        let answer = ask_again(self.transport, self.endpoint, &resource, body.as_bytes());
        answer.await.ok()
    }

    /// The sampling settings to send. llama.cpp's log-probabilities do not depend on any.
    pub(in crate::http) async fn settings(
        &self,
        template: &RequestTemplate,
        first: &Listed,
        owner: Option<&str>,
    ) -> Settings {
        if owner == Some("llamacpp") {
            return Settings::default();
        }
        let known = matches!(owner, Some("vllm" | "sglang"));
        settings(first, known, async |sampling| {
            let template = template.clone().sampling(sampling);
            Listed::read(&self.ask(&template, PROMPTS[0]).await?).ok()
        })
        .await
    }

    /// The server's own settings that would have moved scores, for the model's identity.
    pub(in crate::http) async fn own_settings(
        &self,
        settings: Settings,
        choice: TierChoice,
    ) -> Option<String> {
        if settings.bent {
            return Some(settings.sampling.name().to_owned());
        }
        if choice.tier != Tier::Biased {
            return None;
        }
        let properties = self.endpoint.get(self.endpoint.base().root_route("props"));
        let properties = ask_again(self.transport, self.endpoint, &properties, b"").await;
        let named = properties.map_or_else(|_| Vec::new(), |properties| samplers(&properties));
        match (named.is_empty(), choice.bent) {
            (false, _) => Some(named.join(", ")),
            (true, true) => Some("samplers".to_owned()),
            (true, false) => None,
        }
    }

    /// How the model answers a trial question; `None` where it does not.
    pub(in crate::http) async fn letters(&self, template: &RequestTemplate) -> Option<Letters> {
        let answer = self.ask(template, QUESTION).await?;
        letters(&answer, template.top(), self.route == Route::Chat)
    }
}
