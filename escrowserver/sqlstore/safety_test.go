package sqlstore

// safetyDamages are in what keeps accounts from thieves.
func safetyDamages() map[string]string {
	return map[string]string{
		"an account thawed past its owner":   `UPDATE account SET frozen_at = 0 WHERE frozen_at > 0`,
		"an account frozen by nobody":        `UPDATE account SET frozen_at = 5 WHERE id = (SELECT MIN(id) FROM account WHERE frozen_at = 0 AND deleted_at = 0)`,
		"an account with a thief's key":      `UPDATE account SET public_key = (SELECT public_key FROM account WHERE key_id <> id AND key_id <> ''), key_id = 'x' WHERE frozen_at > 0`,
		"a key id of another key":            `UPDATE account SET key_id = 'x' WHERE frozen_at > 0`,
		"an account back from deletion":      `UPDATE account SET deleted_at = 0 WHERE deleted_at > 0`,
		"an account deleted by nobody":       `UPDATE account SET deleted_at = 1, public_key = x'', key_id = '' WHERE frozen_at > 0`,
		"a rotation forgotten":               `DELETE FROM replaced_key WHERE next_key <> ''`,
		"a rotation to another key":          `UPDATE replaced_key SET next_key = 'x' WHERE next_key <> ''`,
		"a rotation of another account":      `UPDATE replaced_key SET account = (SELECT MIN(id) FROM account WHERE id <> replaced_key.account) WHERE next_key <> ''`,
		"the order of a rotation lost":       `DELETE FROM account_order WHERE action = 'rotate'`,
		"the order of a deletion lost":       `DELETE FROM account_order WHERE action = 'delete'`,
		"an order changed":                   `UPDATE account_order SET jws = replace(jws, 'a', 'b') WHERE action = 'freeze'`,
		"an order of another account":        `UPDATE account_order SET account = (SELECT MIN(id) FROM account WHERE id <> account_order.account) WHERE action = 'freeze'`,
		"an order of another action":         `UPDATE account_order SET action = 'unfreeze' WHERE action = 'freeze'`,
		"an order of another day":            `UPDATE account_order SET made_at = made_at + 86400000000 WHERE action = 'freeze'`,
		"a freeze's order lost":              `DELETE FROM account_order WHERE action = 'freeze'`,
		"a change that acts earlier":         `UPDATE account_change SET due_at = due_at - 1 WHERE kind = 'address'`,
		"a change for another address":       `UPDATE account_change SET subject = 'rotated@safety.example' WHERE kind = 'address'`,
		"a change to another value":          `UPDATE account_change SET value = value || ' '`,
		"a change of another account":        `UPDATE account_change SET account = (SELECT MIN(id) FROM account WHERE id <> account_change.account) WHERE kind = 'address'`,
		"a change with an end made up":       `UPDATE account_change SET ending = 'applied', ended_at = asked_at`,
		"a change that ended as nothing":     `UPDATE account_change SET ended_at = asked_at`,
		"a block for longer":                 `UPDATE block SET until_at = until_at + 1`,
		"a block from earlier":               `UPDATE block SET from_at = from_at - 1, until_at = until_at - 1`,
		"a block of another sender":          `UPDATE block SET sender = 'anna@sender.example'`,
		"a block at another recipient":       `UPDATE block SET recipient = 'bob@recipient.example'`,
		"a block of another bond":            `UPDATE block SET bond = (SELECT MIN(id) FROM bond)`,
		"money given up without an order":    `UPDATE entry SET transfer = 'given-up:x:y' WHERE transfer LIKE 'given-up:%'`,
		"money given up in another currency": `UPDATE entry SET currency = 'points.example' WHERE transfer LIKE 'given-up:%'`,
	}
}
