// A service with HashiCorp's own Go client: it logs in, keeps its token alive, and uses both versions of KV.
// It prints what it saw as one line of JSON, for the test to compare.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	generated "github.com/hashicorp/vault-client-go"
	"github.com/hashicorp/vault-client-go/schema"
	vault "github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
)

var seen = map[string]any{}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func status(err error) int {
	var response *vault.ResponseError
	if errors.As(err, &response) {
		return response.StatusCode
	}
	return 0
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := must(vault.NewClient(vault.DefaultConfig())) // VAULT_ADDR, VAULT_NAMESPACE
	identity(ctx, client)
	versioned(ctx, client, os.Getenv("V2"))
	escaped(ctx, client.Token(), os.Getenv("V2"))
	plain(ctx, client, os.Getenv("V1"))
	wrapped(ctx, client, os.Getenv("V2"))
	denied(ctx, client, os.Getenv("V2"))
	check(json.NewEncoder(os.Stdout).Encode(seen))
}

func identity(ctx context.Context, client *vault.Client) {
	secretID := &approle.SecretID{FromEnv: "SECRET_ID"}
	auth := must(approle.NewAppRoleAuth(os.Getenv("ROLE_ID"), secretID))
	login := must(client.Auth().Login(ctx, auth))
	seen["renewable"] = login.Auth.Renewable
	known := must(client.Auth().Token().LookupSelfWithContext(ctx))
	seen["path"] = known.Data["path"]
	renewed := must(client.Auth().Token().RenewSelfWithContext(ctx, 60))
	seen["renewed"] = renewed.Auth.LeaseDuration
	watcher := must(client.NewLifetimeWatcher(&vault.LifetimeWatcherInput{Secret: renewed, Increment: 60}))
	go watcher.Start()
	defer watcher.Stop()
	select {
	case again := <-watcher.RenewCh():
		seen["watched"] = again.Secret.Auth.LeaseDuration
	case err := <-watcher.DoneCh():
		check(fmt.Errorf("the watcher ended: %w", err))
	case <-ctx.Done():
		check(ctx.Err())
	}
}

func versioned(ctx context.Context, client *vault.Client, mount string) {
	kv := client.KVv2(mount)
	must(kv.Put(ctx, "go/app", map[string]any{"password": "one", "user": "ann"}))
	second := must(kv.Put(ctx, "go/app", map[string]any{"password": "two", "user": "ann"}, vault.WithCheckAndSet(1)))
	seen["version"] = second.VersionMetadata.Version
	_, err := kv.Put(ctx, "go/app", map[string]any{}, vault.WithCheckAndSet(1))
	seen["conflict"] = status(err)
	must(kv.Patch(ctx, "go/app", map[string]any{"user": "bob"}))
	seen["data"] = must(kv.Get(ctx, "go/app")).Data
	seen["first"] = must(kv.GetVersion(ctx, "go/app", 1)).Data
	check(kv.PutMetadata(ctx, "go/app", vault.KVMetadataPutInput{CustomMetadata: map[string]any{"team": "a"}}))
	seen["labels"] = must(kv.GetMetadata(ctx, "go/app")).CustomMetadata
	seen["versions"] = len(must(kv.GetVersionsAsList(ctx, "go/app")))
	check(kv.Delete(ctx, "go/app"))
	seen["deleted"] = must(kv.Get(ctx, "go/app")).Data == nil
	check(kv.Undelete(ctx, "go/app", []int{3}))
	seen["undeleted"] = must(kv.Get(ctx, "go/app")).Data
	check(kv.Destroy(ctx, "go/app", []int{1}))
	seen["rolled_back"] = must(kv.Rollback(ctx, "go/app", 2)).VersionMetadata.Version
	seen["names"] = must(client.Logical().ListWithContext(ctx, mount+"/metadata/go")).Data["keys"]
	check(kv.DeleteMetadata(ctx, "go/app"))
	_, err = kv.Get(ctx, "go/app")
	seen["absent"] = errors.Is(err, vault.ErrSecretNotFound)
}

// HashiCorp's other client, which is generated from the server's OpenAPI document, escapes the slashes of a path.
func escaped(ctx context.Context, token, mount string) {
	client := must(generated.New(generated.WithEnvironment()))
	check(client.SetToken(token))
	at := generated.WithMountPath(mount)
	request := schema.KvV2WriteRequest{Data: map[string]any{"password": "three"}}
	must(client.Secrets.KvV2Write(ctx, "go/nested/app", request, at))
	read := must(client.Secrets.KvV2Read(ctx, "go/nested/app", at))
	listed := must(client.Secrets.KvV2List(ctx, "go/nested", at))
	seen["nested"] = []any{read.Data.Data["password"], listed.Data.Keys}
	must(client.Secrets.KvV2DeleteMetadataAndAllVersions(ctx, "go/nested/app", at))
}

func plain(ctx context.Context, client *vault.Client, mount string) {
	kv := client.KVv1(mount)
	check(kv.Put(ctx, "go/app", map[string]any{"password": "one"}))
	seen["v1"] = must(kv.Get(ctx, "go/app")).Data
	seen["v1_names"] = must(client.Logical().ListWithContext(ctx, mount+"/go")).Data["keys"]
	check(kv.Delete(ctx, "go/app"))
	_, err := kv.Get(ctx, "go/app")
	seen["v1_absent"] = errors.Is(err, vault.ErrSecretNotFound)
}

func wrapped(ctx context.Context, client *vault.Client, mount string) {
	must(client.KVv2(mount).Put(ctx, "go/wrapped", map[string]any{"password": "in paper"}))
	asking := must(client.Clone())
	asking.SetToken(client.Token())
	asking.SetWrappingLookupFunc(func(operation, path string) string { return "60s" })
	paper := must(asking.Logical().ReadWithContext(ctx, mount+"/data/go/wrapped")).WrapInfo
	seen["wrapped"] = paper.TTL
	opened := must(client.Logical().UnwrapWithContext(ctx, paper.Token))
	seen["unwrapped"] = opened.Data["data"]
	_, err := client.Logical().UnwrapWithContext(ctx, paper.Token)
	seen["unwrapped_twice"] = status(err)
}

func denied(ctx context.Context, client *vault.Client, mount string) {
	check(client.Auth().Token().RevokeSelfWithContext(ctx, ""))
	_, err := client.KVv2(mount).Get(ctx, "go/app")
	seen["revoked"] = status(err)
}
