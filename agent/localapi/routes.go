package localapi

import (
	"context"
	"net/http"

	"earnest/agentclient"
)

// done is the answer to a request that has none.
func done(err error) (any, error) { return struct{}{}, err }

func (a *api) peopleRoutes(mux *http.ServeMux, get func(string, answerer)) {
	agent := a.agent
	get("/v1/people", func(r *http.Request) (any, error) { return list(agent.People(r.Context())) })
	post(a, mux, "/v1/people", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.SetPerson) (any, error) {
		return agent.SetPerson(ctx, req)
	})
	get("/v1/fingerprints", func(r *http.Request) (any, error) {
		return agent.Fingerprints(r.Context(), r.URL.Query().Get("account"), r.URL.Query().Get("address"))
	})
	post(a, mux, "/v1/fingerprints", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.AcceptFingerprint) (any, error) {
		return agent.AcceptFingerprint(ctx, req)
	})
	post(a, mux, "/v1/people/remove", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.PersonID) (any, error) {
		return done(agent.RemovePerson(ctx, req))
	})
}

func (a *api) draftRoutes(mux *http.ServeMux, get func(string, answerer)) {
	agent := a.agent
	get("/v1/drafts", func(r *http.Request) (any, error) { return list(agent.Drafts(r.Context())) })
	get("/v1/drafts/{id}", func(r *http.Request) (any, error) { return agent.DraftByID(r.Context(), r.PathValue("id")) })
	post(a, mux, "/v1/drafts", agentclient.MaxCompose, func(ctx context.Context, _ *http.Request, req agentclient.Draft) (any, error) {
		return agent.SaveDraft(ctx, req)
	})
	post(a, mux, "/v1/drafts/{id}/delete", smallBody, func(ctx context.Context, r *http.Request, _ struct{}) (any, error) {
		return done(agent.DeleteDraft(ctx, r.PathValue("id")))
	})
	post(a, mux, "/v1/sent/{id}/redraft", smallBody, func(ctx context.Context, r *http.Request, _ struct{}) (any, error) {
		return agent.Redraft(ctx, r.PathValue("id"))
	})
	post(a, mux, "/v1/preview", agentclient.MaxCompose, func(ctx context.Context, _ *http.Request, req agentclient.Compose) (any, error) {
		return list(agent.Preview(ctx, req))
	})
}

func (a *api) moneyRoutes(mux *http.ServeMux, get func(string, answerer)) {
	agent := a.agent
	get("/v1/card/{id}", func(r *http.Request) (any, error) {
		return agent.CardPayment(r.Context(), r.URL.Query().Get("account"), r.PathValue("id"))
	})
	get("/v1/card", func(r *http.Request) (any, error) { return list(agent.CardPayments(r.Context())) })
	post(a, mux, "/v1/card/{id}/leave", smallBody, func(ctx context.Context, r *http.Request, _ struct{}) (any, error) {
		return done(agent.LeaveCardPayment(ctx, r.PathValue("id")))
	})
	post(a, mux, "/v1/card", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.PayByCard) (any, error) {
		return agent.PayByCard(ctx, req)
	})
	get("/v1/payouts", func(r *http.Request) (any, error) {
		return list(agent.Payouts(r.Context(), r.URL.Query().Get("account")))
	})
	post(a, mux, "/v1/payouts", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.PayOut) (any, error) {
		return agent.PayOut(ctx, req)
	})
	post(a, mux, "/v1/payouts/{id}/cancel", smallBody, func(ctx context.Context, r *http.Request, req agentclient.CancelPayout) (any, error) {
		return agent.CancelPayout(ctx, req.Account, r.PathValue("id"))
	})
	get("/v1/movements", func(r *http.Request) (any, error) {
		return list(agent.Movements(r.Context(), r.URL.Query().Get("account")))
	})
	get("/v1/price/history", func(r *http.Request) (any, error) {
		return list(agent.PriceHistory(r.Context(), r.URL.Query().Get("account")))
	})
	get("/v1/limits", func(r *http.Request) (any, error) { return list(agent.Limits(r.Context())) })
	post(a, mux, "/v1/limits", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.SetLimit) (any, error) {
		return list(agent.SetLimit(ctx, req))
	})
	post(a, mux, "/v1/receipts/check", middleBody, func(ctx context.Context, _ *http.Request, req agentclient.Receipts) (any, error) {
		return agent.CheckReceipts(ctx, req)
	})
}

func (a *api) setupRoutes(mux *http.ServeMux, get func(string, answerer)) {
	agent := a.agent
	get("/v1/discover", func(r *http.Request) (any, error) { return agent.Discover(r.Context(), r.URL.Query().Get("address")) })
	get("/v1/settings", func(r *http.Request) (any, error) { return agent.Settings(r.Context()) })
	get("/v1/log", func(r *http.Request) (any, error) { return list(agent.LogLines(r.Context())) })
	get("/v1/diagnostics", func(r *http.Request) (any, error) { return agent.Diagnostics(r.Context()) })
	for path, open := range map[string]func(context.Context, agentclient.Passphrase) (agentclient.Status, error){
		"/v1/keyring/file": agent.ChooseKeyFile, "/v1/keyring/unlock": agent.Unlock,
	} {
		post(a, mux, path, smallBody, func(ctx context.Context, _ *http.Request, req agentclient.Passphrase) (any, error) {
			return open(ctx, req)
		})
	}
	post(a, mux, "/v1/logins", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.BeginLogin) (any, error) {
		return agent.BeginLogin(ctx, req)
	})
	post(a, mux, "/v1/accounts/change", middleBody, func(ctx context.Context, _ *http.Request, req agentclient.AddAccount) (any, error) {
		return agent.ChangeAccount(ctx, req)
	})
	post(a, mux, "/v1/accounts/remove", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.RemoveAccount) (any, error) {
		return done(agent.RemoveAccount(ctx, req))
	})
	post(a, mux, "/v1/accounts/order", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.AccountOrder) (any, error) {
		return agent.OrderAccount(ctx, req)
	})
	post(a, mux, "/v1/accounts/recovery", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.AccountAddress) (any, error) {
		return agent.NewRecoveryKey(ctx, req)
	})
	post(a, mux, "/v1/accounts/recover", middleBody, func(ctx context.Context, _ *http.Request, req agentclient.RecoverAccount) (any, error) {
		return agent.RecoverAccount(ctx, req)
	})
	get("/v1/accounts/export", func(r *http.Request) (any, error) {
		return agent.ExportAccount(r.Context(), r.URL.Query().Get("address"))
	})
	post(a, mux, "/v1/settings", smallBody, func(ctx context.Context, _ *http.Request, req agentclient.Settings) (any, error) {
		return agent.SetSettings(ctx, req)
	})
}
