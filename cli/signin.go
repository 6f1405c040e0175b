package cli

import (
	"context"
	"time"

	"earnest/agentclient"
)

// signIn has a person sign in with a provider in a browser, and returns the id of
// the sign-in once it has ended, well or not: the agent says which.
func (s *session) signIn(address, provider string) (string, error) {
	if provider == "" {
		found, err := s.agent.Discover(s.ctx, address)
		if err != nil {
			return "", err
		}
		provider = found.Provider
	}
	if provider == "" {
		failure := agentclient.Failf(agentclient.CodeUsage, "It is not known with whom %s signs in.", line(address))
		failure.Do = "Name the provider with --provider, or give a password."
		return "", failure
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	events, broken, err := s.logins(ctx)
	if err != nil {
		return "", err
	}
	login, err := s.agent.BeginLogin(ctx, agentclient.BeginLogin{Address: address, Provider: provider})
	if err != nil {
		return "", err
	}
	tell := s.say
	if s.json {
		tell = s.warn
	}
	tell("Open this page in a browser on this machine and sign in with %s:\n\n  %s\n\nWaiting until %s.\n",
		line(provider), line(login.URL), login.Expires.Local().Format("15:04"))
	late := time.NewTimer(login.Expires.Sub(s.now()) + 30*time.Second)
	defer late.Stop()
	for {
		select {
		case event := <-events:
			if event.ID == login.ID {
				return login.ID, nil
			}
		case err := <-broken:
			return "", err
		case <-late.C:
			return login.ID, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// logins listens for sign-ins that end. It returns once the agent tells them.
func (s *session) logins(ctx context.Context) (<-chan agentclient.Event, <-chan error, error) {
	events, broken, ready := make(chan agentclient.Event), make(chan error, 1), make(chan struct{}, 1)
	go func() {
		broken <- s.agent.Events(ctx, func(event agentclient.Event) {
			select {
			case ready <- struct{}{}: // the first one; nobody takes more
			default:
			}
			if event.Type != agentclient.EventLogin {
				return
			}
			select {
			case events <- event:
			case <-ctx.Done():
			}
		})
	}()
	select {
	case <-ready:
		return events, broken, nil
	case err := <-broken:
		return nil, nil, err
	}
}
