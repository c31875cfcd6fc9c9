//! Chat templates in the styles of the common model families, and what must hold for all.

use std::sync::Arc;

use proptest::prelude::*;
use sureness_prompts::{ChatTemplate, Prompt, PromptError};

/// BOS first, content trimmed, the date as Llama 3 prints it.
const LLAMA_3: &str = r#"{{- bos_token }}
{%- if strftime_now is defined %}
    {%- set today = strftime_now("%d %b %Y") %}
{%- else %}
    {%- set today = "unknown" %}
{%- endif %}
{#- The system turn is there even without a system message. #}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{{- "Today Date: " + today + "\n\n<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
"#;

/// Roles must alternate; the content stands in square brackets.
const MISTRAL: &str = "{{ bos_token }}{% for message in messages %}\
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('roles must alternate, user first') }}{% endif %}\
{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}\
{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}";

/// Llama 2 style: the system message is folded into the first one, which is stripped.
const LLAMA_2: &str = "{% if messages[0]['role'] == 'system' %}\
{% set rest = messages[1:] %}{% set system = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' %}\
{% else %}{% set rest = messages %}{% set system = '' %}{% endif %}\
{% for message in rest %}{% if message.role == 'user' %}\
{{ bos_token + '[INST] ' + (system if loop.first else '') + message['content'].strip() + ' [/INST]' }}\
{% else %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}";

const GEMMA: &str = "{{ bos_token }}\
{% if messages[0]['role'] == 'system' %}{{ raise_exception('there is no system role') }}{% endif %}
{% for message in messages %}
    {% set role = 'model' if message['role'] == 'assistant' else message['role'] %}
{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}
{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";

/// A default system message, a namespace that a backward loop fills, string methods.
const QWEN: &str = r"{%- if tools %}{{- 'tools: ' + tools | tojson }}{%- endif %}
{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\nYou answer briefly.<|im_end|>\n' }}
{%- endif %}
{%- set ns = namespace(searching=true, last_query=messages | length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages | length - 1) - loop.index0 %}
    {%- if ns.searching and message.role == 'user' and message.content is string
           and not (message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
        {%- set ns.searching = false %}
        {%- set ns.last_query = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {%- generation %}
        {{- message.content.split('</think>')[-1].lstrip('\n') }}
        {%- endgeneration %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}";

/// The beginning depends on the end of the content, so prompts share no prefix.
const BY_LENGTH: &str =
    "{{ bos_token }}{{ messages[0].content | length }}: {{ messages[0].content }}>";

const UPPER: &str = "{{ bos_token }}{{ messages[0].content.upper() }}";

const ALL: [&str; 7] = [LLAMA_3, MISTRAL, LLAMA_2, GEMMA, QWEN, BY_LENGTH, UPPER];

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(source, Some("<s>"), Some("</s>")).expect("the template is valid")
}

fn prompt(prefix: &str, suffix: &str) -> Prompt {
    Prompt {
        prefix: Arc::from(prefix),
        suffix: suffix.to_owned(),
    }
}

#[test]
fn each_family_renders_as_it_should() {
    let rendered = ALL.map(|source| template(source).render_user(" Say <hi> & 'é'.\n").unwrap());
    assert_eq!(
        rendered,
        [
            "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nSay <hi> & 'é'.<|eot_id|>\
             <|start_header_id|>assistant<|end_header_id|>\n\n",
            "<s>[INST]  Say <hi> & 'é'.\n [/INST]",
            "<s>[INST] Say <hi> & 'é'. [/INST]",
            "<s><start_of_turn>user\nSay <hi> & 'é'.<end_of_turn>\n<start_of_turn>model\n",
            "<|im_start|>system\nYou answer briefly.<|im_end|>\n\
             <|im_start|>user\n Say <hi> & 'é'.\n<|im_end|>\n<|im_start|>assistant\n",
            "<s>17:  Say <hi> & 'é'.\n>",
            "<s> SAY <HI> & 'É'.\n",
        ]
    );
}

#[test]
fn prompts_of_one_prefix_share_one_rendered_prefix() {
    for source in [LLAMA_3, MISTRAL, LLAMA_2, GEMMA, QWEN, UPPER] {
        let template = template(source).strip_bos(true);
        // Equal texts in two allocations: it is the text that counts.
        let one = template.apply(&prompt("Examples.\n\n", "Q1")).unwrap();
        let two = template.apply(&prompt("Examples.\n\n", "Other")).unwrap();
        assert!(Arc::ptr_eq(&one.prefix, &two.prefix));
        assert!(
            one.prefix.to_lowercase().ends_with("examples.\n\n"),
            "{:?}",
            one.prefix
        );
        assert!(!one.prefix.starts_with("<s>"));
        // Without a prefix the template's own opening is still shared, if it has one.
        let one = template.apply(&prompt("", "Q1")).unwrap();
        let two = template.apply(&prompt("", "Other")).unwrap();
        assert!(Arc::ptr_eq(&one.prefix, &two.prefix));
    }
}

#[test]
fn a_prefix_that_does_not_hold_is_given_up() {
    let applied = template(BY_LENGTH).apply(&prompt("abc", "defgh")).unwrap();
    assert_eq!(
        (&*applied.prefix, applied.suffix.as_str()),
        ("", "<s>8: abcdefgh>")
    );
}

#[test]
fn one_bos_is_stripped_and_only_on_request() {
    let prompt = prompt("", "<s>x");
    let text = |strip| {
        let template = template(MISTRAL).strip_bos(strip);
        template.apply(&prompt).unwrap().text()
    };
    assert_eq!(text(false), "<s>[INST] <s>x [/INST]");
    assert_eq!(text(true), "[INST] <s>x [/INST]");
    // No BOS at the start: nothing to take.
    let qwen = template(QWEN);
    let kept = qwen.apply(&prompt).unwrap().text();
    assert_eq!(qwen.strip_bos(true).apply(&prompt).unwrap().text(), kept);
    // A model without BOS.
    let template = ChatTemplate::new(MISTRAL, None, None)
        .unwrap()
        .strip_bos(true);
    assert_eq!(
        template.apply(&prompt).unwrap().text(),
        "[INST] <s>x [/INST]"
    );
}

#[test]
fn smollm2_renders_as_the_server_does() {
    let Some(folder) = sureness_testkit::shared("servers/llama-server") else {
        return;
    };
    let json = |name: &str| -> serde_json::Value {
        let path = folder.join(name);
        let text = std::fs::read_to_string(path).expect("the recorded answer is there");
        serde_json::from_str(&text).expect("the recorded answer is JSON")
    };
    let props = json("props.json");
    let props = &props["response"]["body"];
    let template = ChatTemplate::new(
        props["chat_template"].as_str().expect("a template"),
        props["bos_token"].as_str(),
        props["eos_token"].as_str(),
    )
    .unwrap();

    let recorded = json("apply_template.json");
    let content = recorded["request"]["body"]["messages"][0]["content"].as_str();
    let expected = recorded["response"]["body"]["prompt"]
        .as_str()
        .expect("a prompt");
    assert_eq!(
        template.render_user(content.expect("a content")).unwrap(),
        expected
    );

    // This template opens with the BOS text, as the mark of its first turn.
    let applied = template.strip_bos(true).apply(&prompt("", "hi")).unwrap();
    assert_eq!(format!("<|im_start|>{}", applied.text()), expected);
    assert!(applied.prefix.ends_with("<|im_start|>user\n"));
}

#[test]
fn templates_that_fail_say_where_and_why() {
    let error = ChatTemplate::new("{{ a }}\n{% if %}\n", None, None).unwrap_err();
    assert!(
        matches!(error, PromptError::TemplateSyntax { line: 2, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("line 2: "), "{error}");

    let source =
        "first\n{% if true %}\n{{ raise_exception('no user messages, please') }}\n{% endif %}";
    let error = template(source).render_user("x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the chat template failed at line 3: the template says: no user messages, please"
    );
    assert!(template(source).apply(&prompt("a", "b")).is_err());

    let error = template("\n{{ messages[0].nothing.at_all }}")
        .render_user("x")
        .unwrap_err();
    assert!(
        matches!(error, PromptError::TemplateFailed { line: 2, .. }),
        "{error:?}"
    );
    let error = template("{{ 'a' | no_such_filter }}")
        .render_user("x")
        .unwrap_err();
    assert!(error.to_string().contains("no_such_filter"), "{error}");
    assert!(!error.hint().is_empty());
}

/// Texts that templates might treat in a special way: spaces at the ends, marks, tags, quotes.
fn content() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,12}",
        2 => "[ \\n\\t]{1,3}",
        1 => Just("<s>".to_owned()),
        1 => Just("{{ bos_token }}{% raw %}".to_owned()),
        1 => Just("<tool>".to_owned()),
        1 => Just("</tool>".to_owned()),
        1 => Just("[/INST]</s>".to_owned()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn applying_is_rendering_the_whole_text(
        prefix in content(),
        suffixes in prop::collection::vec(content(), 1..4),
        strip in any::<bool>(),
    ) {
        for source in ALL {
            let template = template(source).strip_bos(strip);
            for suffix in &suffixes {
                let prompt = prompt(&prefix, suffix);
                let whole = template.render_user(&prompt.text()).unwrap();
                let expected = match whole.strip_prefix("<s>") {
                    Some(rest) if strip => rest,
                    _ => &whole,
                };
                prop_assert_eq!(template.apply(&prompt).unwrap().text(), expected);
            }
        }
    }
}
