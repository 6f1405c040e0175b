package agentclient

// String is the amount as a person reads it: with the sign or the name of the
// unit, else with the currency's name.
func (m Money) String() string {
	switch m.Unit {
	case "EUR":
		return "€" + m.Amount
	case "USD":
		return "$" + m.Amount
	case "GBP":
		return "£" + m.Amount
	case "":
		return m.Amount + " " + m.Currency
	}
	return m.Amount + " " + m.Unit
}
