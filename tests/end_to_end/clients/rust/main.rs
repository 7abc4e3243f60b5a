//! A service with vaultrs: it logs in, keeps its token alive, and uses both versions of KV.
//! It prints what it saw as one line of JSON, for the test to compare.

use std::{collections::HashMap, env};

use serde_json::{Map, Value, json};
use vaultrs::api::ResponseWrapper;
use vaultrs::api::kv2::requests::{ReadSecretRequest, SetSecretMetadataRequestBuilder, SetSecretRequestOptions};
use vaultrs::client::{Client, VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;
use vaultrs::{auth::approle, kv1, kv2, token};

type Data = HashMap<String, String>;
type Done = Result<(), ClientError>;

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn client(token: &str) -> Result<VaultClient, ClientError> {
    let settings = VaultClientSettingsBuilder::default().token(token).build().unwrap(); // VAULT_ADDR
    VaultClient::new(settings)
}

fn status<T>(answer: Result<T, ClientError>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(ClientError::APIError { code, .. }) => code,
        Err(_) => 0,
    }
}

fn secret(password: &str) -> Value {
    json!({"password": password, "user": "ann"})
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    let mut seen = Map::new();
    let mut vault = client("")?;
    let login = approle::login(&vault, "approle", &variable("ROLE_ID"), &variable("SECRET_ID")).await?;
    vault.set_token(&login.client_token);
    seen.insert("renewable".into(), json!(login.renewable));
    seen.insert("path".into(), json!(token::lookup_self(&vault).await?.path));
    seen.insert("renewed".into(), json!(token::renew_self(&vault, Some("60s")).await?.lease_duration));
    versioned(&vault, &variable("V2"), &mut seen).await?;
    plain(&vault, &variable("V1"), &mut seen).await?;
    wrapped(&vault, &variable("V2"), &mut seen).await?;
    token::revoke_self(&vault).await?;
    seen.insert("revoked".into(), json!(status(kv2::read::<Data>(&vault, &variable("V2"), "rust/app").await)));
    println!("{}", Value::Object(seen));
    Ok(())
}

async fn versioned(vault: &VaultClient, mount: &str, seen: &mut Map<String, Value>) -> Done {
    let app = "rust/app";
    let once = || SetSecretRequestOptions { cas: 1 };
    kv2::set(vault, mount, app, &secret("one")).await?;
    let second = kv2::set_with_options(vault, mount, app, &secret("two"), once()).await?;
    seen.insert("version".into(), json!(second.version));
    seen.insert("conflict".into(), json!(status(kv2::set_with_options(vault, mount, app, &json!({}), once()).await)));
    seen.insert("data".into(), json!(kv2::read::<Data>(vault, mount, app).await?));
    seen.insert("first".into(), json!(kv2::read_version::<Data>(vault, mount, app, 1).await?));
    let labels = Data::from([("team".into(), "a".into())]);
    let mut metadata = SetSecretMetadataRequestBuilder::default();
    kv2::set_metadata(vault, mount, app, Some(metadata.custom_metadata(labels))).await?;
    let known = kv2::read_metadata(vault, mount, app).await?;
    seen.insert("labels".into(), json!(known.custom_metadata));
    seen.insert("versions".into(), json!(known.versions.len()));
    seen.insert("names".into(), json!(kv2::list(vault, mount, "rust").await?));
    kv2::delete_latest(vault, mount, app).await?;
    seen.insert("deleted".into(), json!(kv2::read::<Data>(vault, mount, app).await.is_err()));
    kv2::undelete_versions(vault, mount, app, vec![2]).await?;
    seen.insert("undeleted".into(), json!(kv2::read::<Data>(vault, mount, app).await?));
    kv2::destroy_versions(vault, mount, app, vec![1]).await?;
    kv2::delete_metadata(vault, mount, app).await?;
    seen.insert("absent".into(), json!(status(kv2::read::<Data>(vault, mount, app).await) == 404));
    Ok(())
}

async fn plain(vault: &VaultClient, mount: &str, seen: &mut Map<String, Value>) -> Done {
    let app = "rust/app";
    kv1::set(vault, mount, app, &HashMap::from([("password", "one")])).await?;
    seen.insert("v1".into(), json!(kv1::get::<Data>(vault, mount, app).await?));
    seen.insert("v1_names".into(), json!(kv1::list(vault, mount, "rust").await?.data.keys));
    kv1::delete(vault, mount, app).await?;
    seen.insert("v1_absent".into(), json!(status(kv1::get::<Data>(vault, mount, app).await) == 404));
    Ok(())
}

async fn wrapped(vault: &VaultClient, mount: &str, seen: &mut Map<String, Value>) -> Done {
    kv2::set(vault, mount, "rust/wrapped", &json!({"password": "in paper"})).await?;
    let read = ReadSecretRequest::builder().mount(mount).path("rust/wrapped").build().unwrap();
    let paper = read.wrap(vault).await?;
    seen.insert("wrapped".into(), json!(paper.lookup(vault).await?.creation_ttl));
    seen.insert("unwrapped".into(), json!(paper.unwrap(vault).await?.data));
    seen.insert("unwrapped_twice".into(), json!(status(paper.unwrap(vault).await)));
    Ok(())
}
