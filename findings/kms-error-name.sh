#!/bin/bash
# Which name of an error AWS's SDKs take where header and body of an AWS JSON 1.1 response can both have one.
#
# The protocol (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html, "Operation error serialization") lets a
# server name an error in the header x-amzn-errortype or in the body's __type. One would guess that every SDK reads both,
# the same one first.
#
# Seen: boto3 reads the body alone: of an error that only the header names it makes a plain ClientError whose code is the
# HTTP status. JavaScript reads both, the body first; Go reads both, the header first. A server, or whatever stands in for
# one, has to send the same name in both places.
#
# Needs python3 with venv, npm, go. Exit 0: as written here; 1: the behaviour is another.
set -euo pipefail
BOTO3=1.44.8
JS=3.1162.0
GO=v1.62.6 GO_CORE=v1.48.0 GO_SMITHY=v1.28.9

work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check "boto3==$BOTO3" "botocore==$BOTO3"
npm install --silent --no-audit --no-fund --ignore-scripts "@aws-sdk/client-kms@$JS"
mkdir go

cat > server.py << 'END'
import http.server, json

class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        where = self.path.split("/")[1]
        body = {"message": "no"}
        if where in ("body", "both"):
            body["__type"] = "DisabledException"
        content = json.dumps(body).encode()
        self.send_response(400)
        if where in ("header", "both"):
            self.send_header("x-amzn-errortype", "KMSInvalidStateException")
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Server)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
END

cat > client.py << 'END'
import sys
import boto3
from botocore.exceptions import ClientError

kms = boto3.client("kms", endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
try:
    kms.describe_key(KeyId="a")
except ClientError as error:
    print(type(error).__name__, error.response["Error"]["Code"])
END

cat > client.mjs << 'END'
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
const kms = new KMSClient({ endpoint: process.argv[2], region: 'eu-central-1', credentials });
await kms.send(new DescribeKeyCommand({ KeyId: 'a' })).catch((error) => console.log(error.constructor.name, error.name));
END

cat > go/main.go << 'END'
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

func main() {
	client := kms.New(kms.Options{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(os.Args[1]),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	})
	_, err := client.DescribeKey(context.Background(), &kms.DescribeKeyInput{KeyId: aws.String("a")})
	kind := "APIError"
	var disabled *types.DisabledException
	var state *types.KMSInvalidStateException
	if errors.As(err, &disabled) {
		kind = "DisabledException"
	} else if errors.As(err, &state) {
		kind = "KMSInvalidStateException"
	}
	var named smithy.APIError
	if !errors.As(err, &named) {
		fmt.Println(err)
		return
	}
	fmt.Println(kind, named.ErrorCode())
}
END
(
  cd go
  export GOMODCACHE=$work/modules
  go mod init finding
  go get "github.com/aws/aws-sdk-go-v2@$GO_CORE" "github.com/aws/aws-sdk-go-v2/service/kms@$GO" "github.com/aws/smithy-go@$GO_SMITHY"
  go build -o client .
) 2> go.log || { cat go.log >&2; exit 1; }

python3 server.py &
server=$!
for _ in {1..100}; do [[ -s port ]] && break || sleep 0.1; done

export AWS_EC2_METADATA_DISABLED=true HOME=$work NODE_NO_WARNINGS=1
for where in body header both; do
  url=http://127.0.0.1:$(cat port)/$where
  printf '%-6s  boto3 %s: %s\n' "$where" "$BOTO3" "$(python/bin/python client.py "$url")"
  printf '%-6s  JavaScript %s: %s\n' "$where" "$JS" "$(node client.mjs "$url")"
  printf '%-6s  Go %s: %s\n' "$where" "$GO" "$(go/client "$url")"
done | tee seen

diff - seen << END && printf 'As expected.\n'
body    boto3 $BOTO3: DisabledException DisabledException
body    JavaScript $JS: DisabledException DisabledException
body    Go $GO: DisabledException DisabledException
header  boto3 $BOTO3: ClientError 400
header  JavaScript $JS: KMSInvalidStateException KMSInvalidStateException
header  Go $GO: KMSInvalidStateException KMSInvalidStateException
both    boto3 $BOTO3: DisabledException DisabledException
both    JavaScript $JS: DisabledException DisabledException
both    Go $GO: KMSInvalidStateException KMSInvalidStateException
END
