package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
)

const tagEscrow = "escrow"

// health is the answer of a working escrow.
type health struct {
	Status string `json:"status" enum:"ok"`
}

func (a *API) infoOperations() {
	register(a, operation{method: http.MethodGet, path: "/v1/info", id: "info", tag: tagEscrow, access: open,
		summary: "Describe the escrow: operator, currencies, beneficiaries, terms, receipt key"},
		func(ctx context.Context, _ *struct{}) (*output[escrow.Info], error) {
			return answer(a.service(ctx).Info(ctx))
		})
	register(a, operation{method: http.MethodGet, path: "/healthz", id: "health", tag: tagEscrow, access: open,
		summary: "Say whether the escrow works"},
		func(ctx context.Context, _ *struct{}) (*output[health], error) {
			if a.cfg.Health != nil {
				if err := a.cfg.Health(ctx); err != nil {
					a.cfg.Log.Error("health check failed", "error", err)
					return nil, escrow.Errorf(escrow.Unavailable, "the escrow is not well; its operator finds why in its log")
				}
			}
			return answer(health{Status: "ok"}, nil)
		})
	register(a, operation{method: http.MethodPost, path: "/v1/heartbeat", id: "heartbeat", tag: tagEscrow,
		summary: "Say that the account's agent is alive"},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, a.service(ctx).Heartbeat(ctx)
		})
}
