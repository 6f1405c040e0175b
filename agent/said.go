package agent

import (
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/oauth"
)

// stateWord names a mail's state within a sentence.
func stateWord(state string) agentclient.Said {
	switch state {
	case store.MailHeld:
		return agentclient.Say("state.held", "held")
	case store.MailWaiting:
		return agentclient.Say("state.waiting", "waiting")
	case store.MailRejecting:
		return agentclient.Say("state.rejecting", "rejecting")
	case store.MailAccepted:
		return agentclient.Say("state.accepted", "accepted")
	case store.MailRejected:
		return agentclient.Say("state.rejected", "rejected")
	case store.MailExpired:
		return agentclient.Say("state.expired", "expired")
	case store.MailWithdrawn:
		return agentclient.Say("state.withdrawn", "withdrawn")
	}
	return agentclient.Verbatim(state)
}

func verdictWord(verdict escrow.Verdict) agentclient.Said {
	switch verdict {
	case escrow.Accept:
		return agentclient.Say("verdict.accept", "accept")
	case escrow.Reject:
		return agentclient.Say("verdict.reject", "reject")
	}
	return agentclient.Say("verdict.undo", "undo")
}

// whyDamaged says what is wrong with a mail's encryption; it stands within a
// sentence.
func whyDamaged(err error) agentclient.Said {
	damaged, ok := errors.AsType[*openpgp.Damaged](err)
	if !ok {
		return agentclient.Verbatim(err.Error())
	}
	switch damaged.Reason {
	case "its armor is broken":
		return agentclient.Say("damaged.armor", "its armor is broken")
	case "it ends too early":
		return agentclient.Say("damaged.early", "it ends too early")
	case "a key packet is too long":
		return agentclient.Say("damaged.packet", "a key packet is too long")
	case "it has too many packets":
		return agentclient.Say("damaged.packets", "it has too many packets")
	case "it has no protection against changes":
		return agentclient.Say("damaged.protection", "it has no protection against changes")
	case "it uses a form of OpenPGP that is not understood":
		return agentclient.Say("damaged.form", "it uses a form of OpenPGP that is not understood")
	case "its key does not open it":
		return agentclient.Say("damaged.key", "its key does not open it")
	case "it was changed on its way, or is incomplete":
		return agentclient.Say("damaged.changed", "it was changed on its way, or is incomplete")
	}
	return agentclient.Verbatim(damaged.Reason)
}

// saidOf is all that an error says.
func saidOf(err error) agentclient.Said {
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		return failure.Said()
	}
	return agentclient.Verbatim(err.Error())
}

// saidMissing says what is missing to sign in with a provider.
func saidMissing(m oauth.Missing) agentclient.Said {
	switch {
	case m == oauth.Missing{}:
		return nil
	case !m.Known:
		return agentclient.Say("oauth.unknown", "The mail server wants its users to sign in with {Provider}, of which nothing is known here. Write it into providers.toml in Earnest's home folder: see docs/OAUTH.md.", "Provider", m.Provider)
	case m.Register == "":
		return agentclient.Say("oauth.no-client", "To sign in with {Provider}, Earnest needs a client id, which is got with the provider and written into providers.toml in its home folder: see docs/OAUTH.md. A password that {Provider} makes for one program may work without.", "Provider", m.Provider)
	}
	return agentclient.Say("oauth.no-client-at", "To sign in with {Provider}, Earnest needs a client id, which is got at {Where} and written into providers.toml in its home folder: see docs/OAUTH.md. A password that {Provider} makes for one program may work without.", "Provider", m.Provider, "Where", m.Register)
}

// amounts lists money of several currencies.
func amounts(all []agentclient.Money) agentclient.Said {
	one := func(m agentclient.Money) agentclient.Said {
		return agentclient.Say("amount", "{Money}", "Money", m)
	}
	list := one(all[0])
	for _, m := range all[1:] {
		list = agentclient.Say("amount.and", "{First} and {Second}", "First", list, "Second", one(m))
	}
	return list
}
