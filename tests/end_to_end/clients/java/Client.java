import io.github.jopenlibs.vault.Vault;
import io.github.jopenlibs.vault.VaultConfig;
import io.github.jopenlibs.vault.VaultException;
import io.github.jopenlibs.vault.api.WriteOptions;
import io.github.jopenlibs.vault.json.JsonArray;
import io.github.jopenlibs.vault.json.JsonObject;
import io.github.jopenlibs.vault.response.LogicalResponse;
import java.util.Map;
import java.util.TreeMap;

/**
 * A service with the driver of jopenlibs: it logs in, keeps its token alive, and uses both versions of KV. It prints
 * what it saw as one line of JSON, for the test to compare.
 */
class Client {
    interface Asked {
        Object ask() throws VaultException;
    }

    static final String V1 = System.getenv("V1");
    static final String V2 = System.getenv("V2");
    static final JsonObject SEEN = new JsonObject();

    public static void main(String[] arguments) throws VaultException {
        Vault anonymous = vault(null, 2);
        var login = anonymous.auth().loginByAppRole(System.getenv("ROLE_ID"), System.getenv("SECRET_ID"));
        SEEN.add("renewable", login.isAuthRenewable());
        Vault vault = vault(login.getAuthClientToken(), 2);
        SEEN.add("path", vault.auth().lookupSelf().getPath());
        SEEN.add("renewed", vault.auth().renewSelf(60).getAuthLeaseDuration());
        versioned(vault);
        plain(vault(login.getAuthClientToken(), 1));
        wrapped(vault);
        vault.auth().revokeSelf();
        SEEN.add("revoked", status(() -> vault.logical().read(V2 + "/java/app")));
        System.out.println(SEEN);
    }

    static Vault vault(String token, int engine) throws VaultException {
        return Vault.create(new VaultConfig().token(token).engineVersion(engine).build()); // VAULT_ADDR
    }

    static void versioned(Vault vault) throws VaultException {
        var kv = vault.logical();
        String app = V2 + "/java/app";
        kv.write(app, Map.of("password", "one", "user", "ann"));
        var once = new WriteOptions().checkAndSet(1L).build();
        var second = kv.write(app, Map.of("password", "two", "user", "ann"), 0, once);
        SEEN.add("version", second.getDataObject().getInt("version"));
        SEEN.add("conflict", status(() -> kv.write(app, Map.of(), 0, once)));
        SEEN.add("data", data(kv.read(app)));
        SEEN.add("first", data(kv.read(app, true, 1)));
        SEEN.add("names", names(kv.list(V2 + "/java")));
        kv.delete(app);
        SEEN.add("deleted", status(() -> kv.read(app)) == 404);
        kv.destroy(app, new int[] {1, 2});
        SEEN.add("absent", status(() -> kv.read(app)) == 404);
    }

    static void plain(Vault vault) throws VaultException {
        var kv = vault.logical();
        kv.write(V1 + "/java/app", Map.of("password", "one"));
        SEEN.add("v1", data(kv.read(V1 + "/java/app")));
        SEEN.add("v1_names", names(kv.list(V1 + "/java")));
        kv.delete(V1 + "/java/app");
        SEEN.add("v1_absent", status(() -> kv.read(V1 + "/java/app")) == 404);
    }

    static void wrapped(Vault vault) throws VaultException {
        var wrapping = vault.sys().wrapping();
        var paper = wrapping.wrap(new JsonObject().add("password", "in paper"), 60);
        SEEN.add("wrapped", paper.getTtl());
        SEEN.add("unwrapped", wrapping.unwrap(paper.getToken()).getData());
        SEEN.add("unwrapped_twice", status(() -> wrapping.unwrap(paper.getToken())));
    }

    static JsonObject data(LogicalResponse answer) {
        JsonObject data = new JsonObject();
        new TreeMap<>(answer.getData()).forEach(data::add);
        return data;
    }

    static JsonArray names(LogicalResponse answer) {
        JsonArray names = new JsonArray();
        answer.getListData().forEach(names::add);
        return names;
    }

    /** The status of a refusal; 404 also where the driver gives an empty answer for it, 200 otherwise. */
    static int status(Asked asked) {
        try {
            Object answer = asked.ask();
            return answer instanceof LogicalResponse logical ? logical.getRestResponse().getStatus() : 200;
        } catch (VaultException error) {
            return error.getHttpStatusCode();
        }
    }
}
