package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
)

// Requests of one tool under way at once.
const requestsAtOnce = 16

// How long one request may take before the server counts as hanging.
const requestTimeout = 30 * time.Second

// credentialVariable names the environment variable with the Authorization header for logs whose entries are not public.
const credentialVariable = "GO_TILES_AUTHORIZATION"

// source is one log as each family of tools wants to read it.
type source struct {
	// tessera is Tessera's own reader of directories or its HTTP client.
	tessera fsck.Fetcher
	// torchwood is torchwood's own reader of file systems or its HTTP client.
	torchwood torchwood.TileReader
	// get reads one published file, for x/mod, which has no reader of its own.
	get func(path string) ([]byte, error)
}

func openSource(log string) (source, error) {
	if strings.HasPrefix(log, "http://") {
		return overHTTP(log)
	}
	tiles, err := torchwood.NewTileFS(os.DirFS(log))
	if err != nil {
		return source{}, err
	}
	return source{
		tessera:   client.FileFetcher{Root: log},
		torchwood: tiles,
		get:       func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(log, path)) },
	}, nil
}

func overHTTP(address string) (source, error) {
	base, err := url.Parse(strings.TrimSuffix(address, "/") + "/")
	if err != nil {
		return source{}, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: requestsAtOnce, MaxConnsPerHost: requestsAtOnce}
	web := &http.Client{Transport: withCredential{transport, os.Getenv(credentialVariable)}, Timeout: requestTimeout}
	tessera, err := client.NewHTTPFetcher(base, web)
	if err != nil {
		return source{}, err
	}
	tiles, err := torchwood.NewTileFetcher(base.String(), torchwood.WithHTTPClient(web), torchwood.WithConcurrencyLimit(requestsAtOnce))
	if err != nil {
		return source{}, err
	}
	return source{
		tessera:   tessera,
		torchwood: tiles,
		get:       func(path string) ([]byte, error) { return getOverHTTP(web, base.String()+path) },
	}, nil
}

// withCredential gives each request the same Authorization header, where there is one.
type withCredential struct {
	next       http.RoundTripper
	credential string
}

func (w withCredential) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.credential != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Authorization", w.credential)
	}
	return w.next.RoundTrip(request)
}

func getOverHTTP(web *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := web.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	return io.ReadAll(response.Body)
}
