//! Where a key goes next: snippets for stores of secrets, pipelines and programs. They hold a placeholder, never the
//! secret: what is pasted into a command line stays in its history, so each command reads the secret from a prompt, from
//! its standard input, or from a file that only its owner may read.

use super::key::Environment;

/// What stands where the secret belongs.
pub const PLACEHOLDER: &str = "paste-the-key-here";
/// An address of the API that the key is for; ours does not know it.
const API: &str = "https://api.example.com/";

/// Snippets of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// For the element that holds it.
    pub id: &'static str,
    pub title: &'static str,
    pub parts: Vec<Part>,
}

/// A file or a command, under what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub about: &'static str,
    pub text: String,
}

/// The environment variable for keys of a project: `image-api` → `IMAGE_API_API_KEY`. Shells take no digit at its
/// beginning, and GitHub no name of its own.
#[must_use]
pub fn variable(slug: &str) -> String {
    let upper = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let stem: String = slug.chars().take(40).map(upper).collect();
    let stem = stem.trim_matches('_');
    let is_taken =
        stem.is_empty() || stem.starts_with(|c: char| c.is_ascii_digit()) || stem.starts_with("GITHUB");
    let before = if is_taken { "KEY_" } else { "" };
    let between = if stem.is_empty() { "" } else { "_" };
    format!("{before}{stem}{between}API_KEY")
}

/// What the secret is called in stores: `image-api-live`. Lower-case letters, digits and hyphens suit them all.
#[must_use]
pub fn stored_name(slug: &str, environment: Environment) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let stem: String = slug.chars().take(40).map(plain).collect();
    let stem = match stem.trim_matches('-') {
        "" => "api-key",
        stem => stem,
    };
    format!("{stem}-{}", environment.as_str())
}

fn part(about: &'static str, text: impl Into<String>) -> Part {
    let text = text.into();
    Part { about, text }
}

/// A command that is given the secret on its standard input, typed at a prompt that does not show it.
fn typed_into(command: &str) -> String {
    format!("(IFS= read -rs KEY; printf %s \"$KEY\" | {command})")
}

/// Where it is told what the line waits for.
const WAITS: &str =
    "The line waits for the key: paste it and press Enter. It is not shown and not kept in the history.";

/// Every snippet for a key of this project and environment.
#[must_use]
pub fn snippets(slug: &str, environment: Environment) -> Vec<Snippet> {
    let variable = variable(slug);
    let name = stored_name(slug, environment);
    vec![
        environment_variable(&variable),
        coding_assistants(),
        aws(&name),
        google(&name),
        azure(&name),
        vault(&name, &variable),
        kubernetes(&name, &variable),
        docker(&name),
        github(&variable),
        gitlab(&variable),
        program(&variable),
    ]
}

fn environment_variable(variable: &str) -> Snippet {
    Snippet {
        id: "environment",
        title: "Environment variable",
        parts: vec![
            part("In .env:", format!("{variable}={PLACEHOLDER}")),
            part(
                "In .gitignore, before the first commit:",
                ".env\n.env.*\n!.env.example\n*.key",
            ),
            part(WAITS, format!("IFS= read -rs {variable} && export {variable}")),
        ],
    }
}

fn coding_assistants() -> Snippet {
    let files = ".aiderignore .aiexclude .aiignore .codeiumignore .cursorignore .geminiignore";
    let deny = "{\n  \"permissions\": {\n    \"deny\": [\"Read(./.env)\", \"Read(./.env.*)\", \"Read(./**/*.key)\"]\n  }\n}";
    Snippet {
        id: "assistants",
        title: "AI coding assistants",
        parts: vec![
            part(
                "Keeps the file from most of them. They are asked, not forced: safest is a key that is not in the folder.",
                format!("for file in {files}; do printf '%s\\n' .env '.env.*' '*.key' >> \"$file\"; done"),
            ),
            part("In .claude/settings.json:", deny),
        ],
    }
}

/// For a program that takes a file but no standard input. One command: of several lines pasted at once, `read` would take
/// the second for the key.
fn by_file(name: &str, command: &str) -> String {
    format!(
        "(umask 077; IFS= read -rs KEY; printf %s \"$KEY\" > {name}.key) &&\n{{ {command}; rm {name}.key; }}"
    )
}

fn aws(name: &str) -> Snippet {
    let create = format!("aws secretsmanager create-secret --name {name} --secret-string file://{name}.key");
    let read =
        format!("aws secretsmanager get-secret-value --secret-id {name} --query SecretString --output text");
    Snippet {
        id: "aws",
        title: "AWS Secrets Manager",
        parts: vec![part(WAITS, by_file(name, &create)), part("To read it:", read)],
    }
}

fn google(name: &str) -> Snippet {
    let create = typed_into(&format!("gcloud secrets create {name} --data-file=-"));
    let read = format!("gcloud secrets versions access latest --secret={name}");
    Snippet {
        id: "google",
        title: "Google Secret Manager",
        parts: vec![part(WAITS, create), part("To read it:", read)],
    }
}

fn azure(name: &str) -> Snippet {
    let create = format!(
        "az keyvault secret set --vault-name YOUR-VAULT --name {name} --file {name}.key --output none"
    );
    let read =
        format!("az keyvault secret show --vault-name YOUR-VAULT --name {name} --query value --output tsv");
    Snippet {
        id: "azure",
        title: "Azure Key Vault",
        parts: vec![part(WAITS, by_file(name, &create)), part("To read it:", read)],
    }
}

fn vault(name: &str, variable: &str) -> Snippet {
    let put = typed_into(&format!("vault kv put -mount=secret {name} {variable}=-"));
    let read = format!("vault kv get -mount=secret -field={variable} {name}");
    Snippet {
        id: "vault",
        title: "HashiCorp Vault",
        parts: vec![part(WAITS, put), part("To read it:", read)],
    }
}

fn kubernetes(name: &str, variable: &str) -> Snippet {
    let create = typed_into(&format!(
        "kubectl create secret generic {name} --from-file={variable}=/dev/stdin"
    ));
    let container = format!(
        "env:\n  - name: {variable}\n    valueFrom:\n      secretKeyRef:\n        name: {name}\n        key: {variable}"
    );
    Snippet {
        id: "kubernetes",
        title: "Kubernetes",
        parts: vec![part(WAITS, create), part("In the container:", container)],
    }
}

fn docker(name: &str) -> Snippet {
    let create = typed_into(&format!("docker secret create {name} -"));
    let compose =
        format!("services:\n  app:\n    secrets:\n      - {name}\nsecrets:\n  {name}:\n    external: true");
    Snippet {
        id: "docker",
        title: "Docker",
        parts: vec![
            part(WAITS, create),
            part(
                "In the compose file; the program reads it from /run/secrets:",
                compose,
            ),
        ],
    }
}

fn github(variable: &str) -> Snippet {
    Snippet {
        id: "github",
        title: "GitHub Actions",
        parts: vec![
            part("Asks for the key:", format!("gh secret set {variable}")),
            part(
                "In the step that needs it:",
                format!("env:\n  {variable}: ${{{{ secrets.{variable} }}}}"),
            ),
        ],
    }
}

fn gitlab(variable: &str) -> Snippet {
    let set = typed_into(&format!("glab variable set {variable} --masked --protected"));
    Snippet {
        id: "gitlab",
        title: "GitLab CI",
        parts: vec![
            part(WAITS, set),
            part(
                "Jobs on protected branches find it as an environment variable:",
                format!("test -n \"${variable}\""),
            ),
        ],
    }
}

fn program(variable: &str) -> Snippet {
    let curl = format!("printf 'Authorization: Bearer %s' \"${variable}\" | curl -sS -H @- {API}");
    let javascript = format!(
        "const answer = await fetch(\"{API}\", {{\n  headers: {{ authorization: `Bearer ${{process.env.{variable}}}` }},\n}});"
    );
    let python = format!(
        "import os\nimport urllib.request\n\nrequest = urllib.request.Request(\n    \"{API}\",\n    headers={{\"Authorization\": \
         \"Bearer \" + os.environ[\"{variable}\"]}},\n)\nwith urllib.request.urlopen(request) as answer:\n    print(answer.status)"
    );
    let go = format!(
        "request, err := http.NewRequest(\"GET\", \"{API}\", nil)\nif err != nil {{\n\treturn err\n}}\n\
         request.Header.Set(\"Authorization\", \"Bearer \"+os.Getenv(\"{variable}\"))\nanswer, err := http.DefaultClient.Do(request)"
    );
    let rust = format!(
        "let key = std::env::var(\"{variable}\")?;\nlet answer = reqwest::Client::new()\n    .get(\"{API}\")\n    \
         .bearer_auth(key)\n    .send()\n    .await?;"
    );
    Snippet {
        id: "program",
        title: "In a program",
        parts: vec![
            part(
                "curl; the header does not appear among the running programs:",
                curl,
            ),
            part("JavaScript:", javascript),
            part("Python:", python),
            part("Go:", go),
            part("Rust, with reqwest:", rust),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 9] = [
        "image-api",
        "3d-prints",
        "github",
        "",
        "---",
        "'; rm -rf ~ #",
        "$(reboot)`x`\n\"",
        "日本",
        "a-very-long-slug-that-nobody-would-type-but-somebody-might-store-anyway",
    ];

    #[test]
    fn a_variable_is_one_for_every_shell_and_pipeline() {
        for (slug, expected) in [
            ("image-api", "IMAGE_API_API_KEY"),
            ("3d-prints", "KEY_3D_PRINTS_API_KEY"),
            ("github", "KEY_GITHUB_API_KEY"),
            ("", "KEY_API_KEY"),
        ] {
            assert_eq!(variable(slug), expected);
        }
        for slug in HOSTILE {
            let name = variable(slug);
            assert!(
                name.len() <= 60 && name.starts_with(|c: char| c.is_ascii_uppercase()),
                "{name}"
            );
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
        }
    }

    #[test]
    fn a_stored_name_needs_no_quotes_anywhere() {
        assert_eq!(stored_name("image-api", Environment::Live), "image-api-live");
        assert_eq!(stored_name("日本", Environment::Test), "api-key-test");
        for slug in HOSTILE {
            let name = stored_name(slug, Environment::Live);
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{name}"
            );
            assert!(name.starts_with(|c: char| c.is_ascii_alphanumeric()), "{name}");
        }
    }

    #[test]
    fn nothing_of_a_hostile_name_reaches_a_snippet() {
        let plain = snippets("image-api", Environment::Live);
        for slug in HOSTILE {
            for (snippet, plain) in snippets(slug, Environment::Live).iter().zip(&plain) {
                for (part, plain) in snippet.parts.iter().zip(&plain.parts) {
                    let back = part
                        .text
                        .replace(&variable(slug), "IMAGE_API_API_KEY")
                        .replace(&stored_name(slug, Environment::Live), "image-api-live");
                    assert_eq!(back, plain.text, "{slug}");
                }
            }
        }
    }

    #[test]
    fn every_command_takes_the_secret_from_a_prompt_a_pipe_or_a_file() {
        let all = snippets("image-api", Environment::Live);
        let text = |id: &str| {
            let of = all.iter().find(|snippet| snippet.id == id).unwrap();
            of.parts[0].text.clone()
        };
        for (id, how) in [
            (
                "aws",
                "--secret-string file://image-api-live.key; rm image-api-live.key; }",
            ),
            ("google", "| gcloud secrets create image-api-live --data-file=-"),
            ("azure", "--file image-api-live.key"),
            (
                "vault",
                "| vault kv put -mount=secret image-api-live IMAGE_API_API_KEY=-",
            ),
            ("kubernetes", "--from-file=IMAGE_API_API_KEY=/dev/stdin"),
            ("docker", "| docker secret create image-api-live -"),
            ("github", "gh secret set IMAGE_API_API_KEY"),
            ("gitlab", "| glab variable set IMAGE_API_API_KEY --masked"),
        ] {
            assert!(text(id).contains(how), "{id}: {}", text(id));
        }
        let whole: String = all
            .iter()
            .flat_map(|snippet| &snippet.parts)
            .map(|part| part.text.as_str())
            .collect();
        assert_eq!(
            whole.matches(PLACEHOLDER).count(),
            1,
            "in a file, never in a command"
        );
        let ids: std::collections::BTreeSet<_> = all.iter().map(|snippet| snippet.id).collect();
        assert_eq!(ids.len(), all.len());
    }
}
