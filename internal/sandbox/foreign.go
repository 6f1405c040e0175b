package sandbox

import (
	"context"
	"time"

	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/mail"
)

// foreignMail is an encrypted mail to a key that nobody here has.
func foreignMail(ctx context.Context, to string) ([]byte, error) {
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	own, err := keys.Generate(ctx, "friend", "friend")
	if err != nil {
		return nil, err
	}
	from := "friend@" + domain
	return keys.Seal(ctx, openpgp.SealRequest{
		Letter: mail.Letter{From: from, To: to, Subject: "Between us", Text: "Not for Earnest.\n",
			Date: time.Now(), MessageID: mail.NewMessageID(from)},
		To: own, SignWith: "friend",
	})
}
