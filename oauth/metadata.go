package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// metadata is what an issuer says of itself (OpenID Connect Discovery 1.0).
type metadata struct {
	Issuer string `json:"issuer"`
	Auth   string `json:"authorization_endpoint"`
	Token  string `json:"token_endpoint"`
}

// maxMetadata is far above what issuers say.
const maxMetadata = 256 << 10

// discover asks an issuer for its endpoints, once.
func (b *Broker) discover(ctx context.Context, issuer string) (metadata, error) {
	b.mu.Lock()
	known, ok := b.found[issuer]
	b.mu.Unlock()
	if ok {
		return known, nil
	}
	at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	if err := secure(at); err != nil {
		return metadata{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return metadata{}, fmt.Errorf("ask the provider for its endpoints: %w", err)
	}
	answer, err := b.http.Do(req)
	if err != nil {
		return metadata{}, fmt.Errorf("ask the provider for its endpoints: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return metadata{}, fmt.Errorf("ask the provider for its endpoints: it answered %d", answer.StatusCode)
	}
	var said metadata
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxMetadata)).Decode(&said); err != nil {
		return metadata{}, fmt.Errorf("the provider's endpoints cannot be read: %w", err)
	}
	if said.Issuer != issuer {
		// Section 4.3: else one issuer could speak for another.
		return metadata{}, fmt.Errorf("%s does not say of itself that it is %s", at, issuer)
	}
	for _, endpoint := range []string{said.Auth, said.Token} {
		if err := secure(endpoint); err != nil {
			return metadata{}, err
		}
	}
	b.mu.Lock()
	b.found[issuer] = said
	b.mu.Unlock()
	return said, nil
}

// secure refuses what is not HTTPS: tokens would be read on the way.
func secure(text string) error {
	at, err := url.Parse(text)
	if err != nil || at.Scheme != "https" || at.Host == "" || at.User != nil {
		return fmt.Errorf("%.80q is no https address of a provider", text)
	}
	return nil
}
