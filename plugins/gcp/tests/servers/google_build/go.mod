module wardgate/tests/google

go 1.24.0

require (
	cloud.google.com/go/secretmanager v1.16.0
	github.com/blackwell-systems/gcp-secret-manager-emulator v1.7.1
	google.golang.org/grpc v1.79.1
)

require (
	cloud.google.com/go/iam v1.5.3 // indirect
	github.com/blackwell-systems/gcp-emulator-auth v0.4.0 // indirect
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.28.0 // indirect
	golang.org/x/net v0.48.0 // indirect
	golang.org/x/sys v0.39.0 // indirect
	golang.org/x/text v0.34.0 // indirect
	google.golang.org/genproto v0.0.0-20260126211449-d11affda4bed // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260209200024-4cfbd4190f57 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260209200024-4cfbd4190f57 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
