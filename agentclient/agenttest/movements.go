package agenttest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"earnest/agentclient"
	"earnest/payment"
)

// move notes a change of a purse; the caller holds the lock.
func (a *Agent) move(p *purse, kind string, amount payment.Amount, sent *agentclient.Sent) {
	m := agentclient.Movement{Account: a.owner(p), Escrow: p.escrow, N: int64(len(a.moves)) + 1, Time: a.now(), Kind: kind, Amount: p.money(amount),
		Available: p.money(p.available), Held: p.money(p.held)}
	if kind == agentclient.MoveTopUp {
		m.Ground = agentclient.GroundVoucher // there is no other way in the scene
	}
	if sent != nil {
		m.Bond, m.With, m.Subject = sent.Bond, sent.To, sent.Subject
	}
	a.moves = append(a.moves, m)
}

// AddMovement adds a movement as it stands, such as one of last month.
func (a *Agent) AddMovement(m agentclient.Movement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m.N = int64(len(a.moves)) + 1
	a.moves = append(a.moves, m)
	a.emit(agentclient.EventBalance, "", "")
}

// Movements implements [agentclient.Agent].
func (a *Agent) Movements(ctx context.Context, account string) ([]agentclient.Movement, error) {
	if err := a.begin(ctx, "Movements"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	list := []agentclient.Movement{}
	for _, m := range slices.Backward(a.moves) {
		if account == "" || m.Account == account {
			list = append(list, m)
		}
	}
	return list, nil
}

// Limits implements [agentclient.Agent].
func (a *Agent) Limits(ctx context.Context) ([]agentclient.Limit, error) {
	if err := a.begin(ctx, "Limits"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return a.limitList(), nil
}

func (a *Agent) limitList() []agentclient.Limit {
	list := []agentclient.Limit{}
	for i, p := range a.purses {
		if slices.ContainsFunc(a.purses[:i], func(q *purse) bool { return q.currency.Name == p.currency.Name }) {
			continue
		}
		limit := a.limits[p.currency.Name]
		limit.Currency, limit.Unit, limit.Spent = p.currency.Name, p.currency.Unit, p.held.Format(p.currency.Scale)
		list = append(list, limit)
	}
	return list
}

// SetLimit implements [agentclient.Agent].
func (a *Agent) SetLimit(ctx context.Context, req agentclient.SetLimit) ([]agentclient.Limit, error) {
	if err := a.begin(ctx, "SetLimit"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	for _, field := range [][2]string{{"perMail", req.PerMail}, {"perDay", req.PerDay}} {
		if _, err := payment.ParseAmount(field[1], 2); field[1] != "" && err != nil {
			f := failure(agentclient.CodeUsage, "That is not an amount: "+err.Error()+".")
			f.Field = field[0]
			return nil, f
		}
	}
	a.limits[req.Currency] = agentclient.Limit{PerMail: req.PerMail, PerDay: req.PerDay,
		AtEscrow: !req.HereOnly && req.PerMail+req.PerDay != ""}
	return a.limitList(), nil
}

// PriceHistory implements [agentclient.Agent].
func (a *Agent) PriceHistory(ctx context.Context, account string) ([]agentclient.PriceChange, error) {
	if err := a.begin(ctx, "PriceHistory"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	list := []agentclient.PriceChange{}
	for _, c := range a.history {
		if account == "" || strings.EqualFold(c.Price.Address, account) {
			list = append(list, c)
		}
	}
	return list, nil
}

// CheckReceipts implements [agentclient.Agent]: receipts are good here if they
// are those that the agent has.
func (a *Agent) CheckReceipts(ctx context.Context, receipts agentclient.Receipts) (agentclient.Receipts, error) {
	if err := a.begin(ctx, "CheckReceipts"); err != nil {
		return agentclient.Receipts{}, err
	}
	defer a.mu.Unlock()
	known := a.receipts[receipts.Bond]
	receipts.KeyPinned, receipts.Fault = true, ""
	if receipts.Verified = slices.Equal(known.Receipts, receipts.Receipts) && known.Bond != ""; !receipts.Verified {
		receipts.Fault = fmt.Sprintf("receipt %d is not signed by the escrow", len(receipts.Receipts))
	}
	return receipts, nil
}
