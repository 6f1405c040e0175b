package agent

import (
	"context"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/payment"
)

// Settings is how the agent works for its owner. Before anything was chosen that
// is full control.
func (a *Agent) Settings(ctx context.Context) (agentclient.Settings, error) {
	settings := agentclient.Settings{Model: agentclient.ModelFull}
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		kept, ok, err := store.Get[store.Settings](tx, store.SettingsID)
		if ok {
			settings = agentclient.Settings{Model: kept.Model, Currency: kept.Currency}
		}
		return err
	})
	return settings, err
}

// SetSettings changes them. The currency counts in the single model alone, and is
// kept while another is chosen.
func (a *Agent) SetSettings(ctx context.Context, settings agentclient.Settings) (agentclient.Settings, error) {
	if err := a.checkSettings(settings); err != nil {
		return agentclient.Settings{}, err
	}
	err := a.Store.Update(ctx, "settings", func(tx *store.Tx) error {
		return store.Put(tx, store.Settings{Model: settings.Model, Currency: settings.Currency})
	})
	if err != nil {
		return agentclient.Settings{}, err
	}
	a.tell(agentclient.EventStatus, "", "")
	return settings, nil
}

func (a *Agent) checkSettings(settings agentclient.Settings) error {
	refuse := func(field string, happened, do agentclient.Said) error {
		return agentclient.Refuse(agentclient.CodeUsage, happened,
			agentclient.Say("settings.stay", "The settings stay as they were, and no money moved."), do).At(field)
	}
	switch settings.Model {
	case agentclient.ModelFull, agentclient.ModelAutomatic, agentclient.ModelSingle:
	default:
		return refuse("model", agentclient.Say("settings.no-model", "There is no such way to pay."), agentclient.Say("settings.models", "Choose full, single or automatic."))
	}
	if settings.Currency == "" {
		if settings.Model == agentclient.ModelSingle {
			return refuse("currency", agentclient.Say("settings.no-currency", "No currency was chosen, and this way to pay shows one."), agentclient.Say("settings.choose-currency", "Choose one that an escrow of yours has."))
		}
		return nil
	}
	for _, acct := range a.each() {
		named := func(c payment.Currency) bool { return c.Name == settings.Currency }
		if slices.ContainsFunc(acct.get().Info.Currencies, named) {
			return nil
		}
	}
	return refuse("currency", agentclient.Say("settings.foreign-currency", "No escrow of yours has that currency."), agentclient.Say("settings.see-balance", "See what there is with: earnest balance"))
}
