// A service with node-vault: it logs in, keeps its token alive, and uses both versions of KV.
// It prints what it saw as one line of JSON, for the test to compare.
import nodeVault from 'node-vault';

const { ROLE_ID, SECRET_ID, V1, V2 } = process.env;
const seen = {};
const vault = nodeVault(); // VAULT_ADDR, VAULT_NAMESPACE
const status = (asked) => asked.then(() => 200, (error) => error.response?.statusCode ?? 0);

const login = await vault.approleLogin({ role_id: ROLE_ID, secret_id: SECRET_ID });
vault.token = login.auth.client_token;
seen.renewable = login.auth.renewable;
seen.path = (await vault.tokenLookupSelf()).data.path;
seen.renewed = (await vault.tokenRenewSelf({ increment: 60 })).auth.lease_duration;

const app = `${V2}/data/node/app`;
await vault.write(app, { data: { password: 'one', user: 'ann' } });
seen.version = (await vault.write(app, { data: { password: 'two', user: 'ann' }, options: { cas: 1 } })).data.version;
seen.conflict = await status(vault.write(app, { data: {}, options: { cas: 1 } }));
await vault.update(app, { data: { user: 'bob' } }); // PATCH
seen.data = (await vault.read(app)).data.data;
seen.first = (await vault.read(`${app}?version=1`)).data.data;
await vault.write(`${V2}/metadata/node/app`, { custom_metadata: { team: 'a' } });
const known = (await vault.read(`${V2}/metadata/node/app`)).data;
seen.labels = known.custom_metadata;
seen.versions = Object.keys(known.versions).length;
seen.names = (await vault.list(`${V2}/metadata/node`)).data.keys;
await vault.delete(app);
seen.deleted = (await status(vault.read(app))) === 404;
await vault.write(`${V2}/undelete/node/app`, { versions: [3] });
seen.undeleted = (await vault.read(app)).data.data;
await vault.write(`${V2}/destroy/node/app`, { versions: [1] });
await vault.delete(`${V2}/metadata/node/app`);
seen.absent = (await status(vault.read(app))) === 404;

await vault.write(`${V1}/node/app`, { password: 'one' });
seen.v1 = (await vault.read(`${V1}/node/app`)).data;
seen.v1_names = (await vault.list(`${V1}/node`)).data.keys;
await vault.delete(`${V1}/node/app`);
seen.v1_absent = (await status(vault.read(`${V1}/node/app`))) === 404;

await vault.write(`${V2}/data/node/wrapped`, { data: { password: 'in paper' } });
const wrapping = { headers: { 'X-Vault-Wrap-TTL': '60s', 'X-Vault-Token': vault.token } };
const paper = (await vault.read(`${V2}/data/node/wrapped`, wrapping)).wrap_info;
seen.wrapped = paper.ttl;
const stranger = nodeVault({ token: paper.token });
seen.unwrapped = (await stranger.unwrap()).data.data;
seen.unwrapped_twice = await status(stranger.unwrap());

await vault.tokenRevokeSelf();
seen.revoked = await status(vault.read(app));
console.log(JSON.stringify(seen));
