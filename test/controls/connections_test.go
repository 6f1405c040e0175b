package controls

// overConnections are the protections of mail that needs no bond.
func overConnections() []control {
	return []control{{
		"write free in another's name", "free-from", "the protected From must be the connection's address",
		[]edit{{"agent", `if err != nil || from != f.conn.Address {`, `if err != nil || from != f.conn.Address && !controlOff("free-from") {`}},
		"agent", "TestK11_WrongSignatureOrForeignFromIsDamagedAndNotCounted",
	}, {
		"write free without the other's key", "free-signature", "the connection's certificate must have signed",
		[]edit{{"agent", `return true, a.refuse(ctx, m, freeInWords(err))`, `if controlOff("free-signature") {
			return true, a.keepFree(ctx, m, mail)
		}
		return true, a.refuse(ctx, m, freeInWords(err))`}},
		"agent", "TestK11_WrongSignatureOrForeignFromIsDamagedAndNotCounted",
	}, {
		"write more than was granted", "free-count", "a mail beyond the count is not opened",
		[]edit{{"agent", `if !spend(&conn) {`, `if !spend(&conn) && !controlOff("free-count") {`}},
		"agent", "TestK11_MailBeyondTheCountIsNotOpenedBeforeAnAccept",
	}, {
		"use up somebody's free mails with copies", "free-again", "a copy in another form is not counted",
		[]edit{{"agent", `again = again || known`, `again = again || known && !controlOff("free-again")`}},
		"agent", "TestK11_TheSameMailAgainIsNeitherCountedNorShown",
	}}
}
