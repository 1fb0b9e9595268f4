// Serves go-containerregistry's registry on loopback: anonymously, or for who knows the name and password of the
// environment, by Basic or by a Bearer token as registries hand them out. The first line that it prints is its port.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	mode, tls := os.Args[1], os.Args[2:]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	quiet := log.New(os.Stderr, "", 0)
	served := guard(mode, port, registry.New(registry.Logger(quiet), registry.WithReferrersSupport(true)))
	fmt.Println(port)
	if len(tls) == 2 {
		log.Fatal(http.ServeTLS(listener, served, tls[0], tls[1]))
	}
	log.Fatal(http.Serve(listener, served))
}

// guard lets requests through as mode says: anonymous, basic, bearer.
func guard(mode string, port int, next http.Handler) http.Handler {
	name, password := os.Getenv("REGISTRY_USER"), os.Getenv("REGISTRY_PASSWORD")
	known := func(r *http.Request) bool {
		n, p, ok := r.BasicAuth()
		return ok && n == name && p == password
	}
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		log.Fatal(err)
	}
	token := hex.EncodeToString(raw)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch mode {
		case "basic":
			if !known(r) {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
				return
			}
		case "bearer":
			if r.URL.Path == "/token" {
				scope := r.URL.Query().Get("scope")
				if !known(r) || !strings.HasPrefix(scope, "repository:") {
					http.Error(w, `{"errors":[{"code":"DENIED"}]}`, http.StatusUnauthorized)
					return
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 300})
				return
			}
			if r.Header.Get("Authorization") != "Bearer "+token {
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(
					`Bearer realm="https://127.0.0.1:%d/token",service="registry",scope="repository:holdfast/release:pull"`, port))
				http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
