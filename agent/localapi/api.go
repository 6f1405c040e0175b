// Package localapi is what windows, plugins and the command line may ask of the
// agent: JSON over HTTP on a local socket. It refuses browsers, bounds what it
// reads, and turns every error into words for a person.
package localapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

func noQuestion() agentclient.Said {
	return agentclient.Say("request.unknown", "The agent has no such question.")
}

// Bounds of request bodies. Certificates and CA files are the middle kind.
const (
	smallBody  = 64 << 10
	middleBody = 1 << 20
)

// api is the agent behind its doors.
type api struct {
	agent agentclient.Agent
	log   *slog.Logger

	heartbeat time.Duration // of the event stream
	patience  time.Duration // with a reader of the event stream
	backlog   int           // events that may wait for a reader

	stopping <-chan struct{} // closed when event streams are to end; may be nil
}

// Handler serves the agent under /v1/.
func Handler(agent agentclient.Agent, log *slog.Logger) http.Handler {
	return newAPI(agent, log).handler()
}

func newAPI(agent agentclient.Agent, log *slog.Logger) *api {
	return &api{agent: agent, log: log, heartbeat: 30 * time.Second, patience: 10 * time.Second, backlog: 256}
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	a.routes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		a.refuse(w, http.StatusNotFound, agentclient.Fail(agentclient.CodeUsage).Saying(noQuestion(), nil, nil))
	})
	return a.guard(mux)
}

// answerer answers a question that has no body.
type answerer = func(*http.Request) (any, error)

func (a *api) routes(mux *http.ServeMux) {
	agent := a.agent
	get := func(path string, answer answerer) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { a.reply(w, r, answer) })
	}
	get("/v1/status", func(r *http.Request) (any, error) { return agent.Status(r.Context()) })
	get("/v1/price", func(r *http.Request) (any, error) { return agent.Price(r.Context(), r.URL.Query().Get("address")) })
	get("/v1/balances", func(r *http.Request) (any, error) { return list(agent.Balances(r.Context())) })
	get("/v1/sent", func(r *http.Request) (any, error) { return list(agent.Sent(r.Context())) })
	get("/v1/sent/{id}", func(r *http.Request) (any, error) { return agent.SentByID(r.Context(), r.PathValue("id")) })
	get("/v1/mails", func(r *http.Request) (any, error) { return list(agent.Inbox(r.Context())) })
	get("/v1/mails/{id}", func(r *http.Request) (any, error) { return agent.Message(r.Context(), r.PathValue("id")) })
	get("/v1/mails/{id}/look", func(r *http.Request) (any, error) { return agent.Look(r.Context(), r.PathValue("id")) })
	get("/v1/mails/{id}/attachments/{n}", func(r *http.Request) (any, error) { return a.oneAttachment(r) })
	get("/v1/bonds/{bond}/receipts", func(r *http.Request) (any, error) { return agent.Receipts(r.Context(), r.PathValue("bond")) })
	get("/v1/doctor", func(r *http.Request) (any, error) { return list(agent.Doctor(r.Context())) })
	get("/v1/mails/{id}/line", func(r *http.Request) (any, error) { return agent.MailByID(r.Context(), r.PathValue("id")) })
	get("/v1/mails/{id}/source", func(r *http.Request) (any, error) { return agent.Source(r.Context(), r.PathValue("id")) })
	mux.HandleFunc("GET /v1/mails/{id}/attachments/{n}/data", a.attachmentData)
	mux.HandleFunc("GET /v1/events", a.events)
	a.peopleRoutes(mux, get)
	a.draftRoutes(mux, get)
	a.moneyRoutes(mux, get)
	a.setupRoutes(mux, get)

	post(a, mux, "/v1/accounts", middleBody, func(ctx context.Context, _ *http.Request, req agentclient.AddAccount) (any, error) {
		return agent.AddAccount(ctx, req)
	})
	post(a, mux, "/v1/price", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.SetPrice) (any, error) {
		return agent.SetPrice(ctx, req)
	})
	post(a, mux, "/v1/topup", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.Redeem) (any, error) {
		return list(agent.TopUp(ctx, req))
	})
	post(a, mux, "/v1/sent", agentclient.MaxCompose, func(ctx context.Context, _ *http.Request, req agentclient.Compose) (any, error) {
		return list(agent.Send(ctx, req))
	})
	post(a, mux, "/v1/keys", middleBody, func(ctx context.Context, _ *http.Request, req agentclient.BuyKey) (any, error) {
		return agent.Buy(ctx, req)
	})
	post(a, mux, "/v1/mails/{id}/accept", smallBody, func(ctx context.Context, r *http.Request, req agentclient.Accept) (any, error) {
		return agent.Accept(ctx, r.PathValue("id"), req)
	})
	post(a, mux, "/v1/mails/{id}/reject", smallBody, func(ctx context.Context, r *http.Request, req agentclient.Reject) (any, error) {
		return agent.Reject(ctx, r.PathValue("id"), req)
	})
	for path, act := range map[string]func(context.Context, string) (any, error){
		"/v1/sent/{id}/withdraw": func(ctx context.Context, id string) (any, error) { return agent.Withdraw(ctx, id) },
		"/v1/mails/{id}/undo":    func(ctx context.Context, id string) (any, error) { return agent.Undo(ctx, id) },
	} {
		post(a, mux, path, smallBody, func(ctx context.Context, r *http.Request, _ struct{}) (any, error) {
			return act(ctx, r.PathValue("id"))
		})
	}
}

// list makes an empty list [] in JSON, never null.
func list[T any](items []T, err error) (any, error) {
	if items == nil {
		items = []T{}
	}
	return items, err
}

// post serves a request with a JSON body of at most limit bytes.
func post[T any](a *api, mux *http.ServeMux, path string, limit int64, answer func(context.Context, *http.Request, T) (any, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		a.reply(w, r, func(r *http.Request) (any, error) {
			var req T
			if err := decode(w, r, limit, &req); err != nil {
				return nil, err
			}
			return answer(r.Context(), r, req)
		})
	})
}

// decode reads the one JSON value of a body. What it does not know it refuses:
// a misspelt field would be a wish that is silently not granted.
func decode(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return agentclient.Fail(agentclient.CodeUsage).Saying(agentclient.Say("request.json", "A request to the agent is application/json."), nil, nil)
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		_, err = decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("a second value")
		}
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		if limit < agentclient.MaxCompose {
			return agentclient.TooMuch() // no mail: only sending may be that large
		}
		return agentclient.Fail(agentclient.CodeTooLarge)
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return agentclient.Fail(agentclient.CodeUsage).Saying(agentclient.Say("request.field", "The agent does not know the field {Name}.", "Name", name), nil, nil)
	}
	// No echo of the body: it may hold a password.
	return agentclient.Fail(agentclient.CodeUsage).Saying(agentclient.Say("request.form", "The request is not one JSON value of the expected form."), nil, nil)
}

// guard refuses what a web page could make a browser send. A browser cannot
// reach the socket itself; a program that forwards it to a port would open it.
func (a *api) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != agentclient.Host || fromBrowser(r.Header) {
			a.refuse(w, http.StatusForbidden, agentclient.Fail(agentclient.CodeUsage).Saying(agentclient.Say("request.browser", "The agent does not speak to browsers, nor under another name than its own."), nil, nil))
			return
		}
		// The mux would redirect these to what they might mean.
		if way := r.URL.EscapedPath(); path.Clean("/"+way) != way {
			a.refuse(w, http.StatusNotFound, agentclient.Fail(agentclient.CodeUsage).Saying(noQuestion(), nil, nil))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func fromBrowser(header http.Header) bool {
	for name := range header {
		if name == "Origin" || name == "Referer" || strings.HasPrefix(name, "Sec-Fetch-") {
			return true
		}
	}
	return false
}

func (a *api) reply(w http.ResponseWriter, r *http.Request, answer func(*http.Request) (any, error)) {
	value, err := answer(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.write(w, http.StatusOK, value)
}

func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	failure := FailureOf(err, a.about(r.Context(), err))
	if failure.Code == agentclient.CodeInternal && r.Context().Err() == nil {
		a.log.Error("local request failed", "path", r.Pattern, "err", err)
	}
	a.refuse(w, statusOf(failure.Code), failure)
}

// about finds out what the words of the error need: an escrow that counts in
// smallest units says nothing to a person without the currency.
func (a *api) about(ctx context.Context, err error) About {
	var about About
	if errors.Is(err, escrow.Unavailable) {
		if status, err := a.agent.Status(ctx); err == nil && len(status.Accounts) == 1 {
			about.Escrow = status.Accounts[0].Escrow
		}
	}
	if errors.Is(err, escrow.InsufficientFunds) {
		if balances, err := a.agent.Balances(ctx); err == nil && len(balances) == 1 {
			available := balances[0].Available
			_, fraction, _ := strings.Cut(available.Amount, ".")
			about.Currency = payment.Currency{Name: available.Currency, Unit: available.Unit, Scale: uint8(len(fraction))}
		}
	}
	return about
}

func (a *api) refuse(w http.ResponseWriter, status int, failure *agentclient.Failure) {
	a.write(w, status, failure)
}

func (a *api) write(w http.ResponseWriter, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		a.log.Error("answer cannot be written as JSON", "err", err)
		status, data = http.StatusInternalServerError, []byte(`{"code":"internal","happened":"The agent failed inside."}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_, _ = w.Write(append(data, '\n'))
}
