package sqlstore

// limitDamages are limits that nobody can have set.
func limitDamages() map[string]string {
	insert := func(values string) string {
		return `INSERT INTO spending_limit (account, currency, per_mail, per_day, raise_mail, raise_day, raise_at) VALUES ` + values
	}
	anybody := `((SELECT MIN(id) FROM account), 'c', `
	return map[string]string{
		"a limit of nobody":       insert(`('x', 'c', 1, 1, -1, -1, 0)`),
		"a raise without a time":  insert(anybody + `1, 1, 2, -1, 0)`),
		"a raise to less":         insert(anybody + `2, 2, 1, -1, 5)`),
		"a raise of a day's less": insert(anybody + `2, 2, -1, 1, 5)`),
		"a raise of no limit":     insert(anybody + `-1, 2, 5, -1, 5)`),
	}
}
