// A Google Secret Manager on this machine: a public emulator, held to what the real service does where it differs.
//
// It serves gRPC on a free port of the loopback address, prints that address, and runs until it is stopped.
package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"log"
	"net"
	"os/signal"
	"strings"
	"syscall"

	pb "cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	emulator "github.com/blackwell-systems/gcp-secret-manager-emulator"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	latest   = "/versions/latest"
	maxBytes = 65536
)

// newest gives the name of a secret's newest version, whatever its state; "" where there is none.
func newest(ctx context.Context, client pb.SecretManagerServiceClient, secret string) (string, error) {
	page, err := client.ListSecretVersions(ctx, &pb.ListSecretVersionsRequest{Parent: secret, PageSize: 1})
	if err != nil || len(page.Versions) == 0 {
		return "", err
	}
	return page.Versions[0].Name, nil
}

// corrected changes or refuses what the emulator would treat otherwise than the real service.
func corrected(ctx context.Context, client pb.SecretManagerServiceClient, request any) error {
	switch r := request.(type) {
	case *pb.AccessSecretVersionRequest:
		// The emulator gives the newest that is enabled; the real service refuses when the newest is not.
		if strings.HasSuffix(r.Name, latest) {
			name, err := newest(ctx, client, strings.TrimSuffix(r.Name, latest))
			if err != nil {
				return err
			}
			if name != "" {
				r.Name = name
			}
		}
	case *pb.AddSecretVersionRequest:
		size := len(r.GetPayload().GetData())
		if size == 0 || size > maxBytes {
			return status.Error(codes.InvalidArgument, "the payload is empty or too large")
		}
		// The emulator would tell 0 for a checksum that was not sent; the real service makes one.
		if r.Payload.DataCrc32C == nil {
			checksum := int64(crc32.Checksum(r.Payload.Data, crc32.MakeTable(crc32.Castagnoli)))
			r.Payload.DataCrc32C = &checksum
		}
	case *pb.UpdateSecretRequest:
		// The emulator takes an empty map, which the wire does not tell from none, for "leave it".
		for _, field := range r.GetUpdateMask().GetPaths() {
			if field == "annotations" && r.Secret.Annotations == nil {
				r.Secret.Annotations = map[string]string{}
			}
			if field == "version_aliases" && r.Secret.VersionAliases == nil {
				r.Secret.VersionAliases = map[string]int64{}
			}
		}
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	client := pb.NewSecretManagerServiceClient(connection)
	server := grpc.NewServer(grpc.UnaryInterceptor(
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := corrected(ctx, client, request); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}))
	if err := emulator.Register(server); err != nil {
		log.Fatal(err)
	}
	go func() {
		<-ctx.Done()
		server.Stop()
	}()
	fmt.Println(listener.Addr())
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}
