package openpgp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/mail"
)

// Sealed is an encrypted mail that was looked at but not opened.
type Sealed struct {
	// Header is the outer one; nothing in it is proven.
	Header mail.Header
	// KeyIDs are what the mail says it is encrypted to: a hint, no more.
	KeyIDs []uint64
	// Hidden is how many further recipients it has without naming a key.
	Hidden int

	message []byte // armored or binary
}

// Packet types (RFC 4880 section 4.3, RFC 9580 section 5).
const (
	tagEncryptedKey    = 1
	tagSymmetricKey    = 3
	tagEncryptedData   = 9
	tagMarker          = 10
	tagProtectedData   = 18
	tagAEADData        = 20
	tagPadding         = 21
	maxKeyPacket       = 8 << 10
	maxLeadingPackets  = 2 * MaxRecipients
	fingerprintV4Size  = 20
	fingerprintV6Size  = 32
	encryptedKeyV3     = 3
	encryptedKeyV6     = 6
	keyIDSize          = 8
	versionKeyIDLength = 1 + keyIDSize
)

// Inspect tells what a mail is encrypted to. It decrypts nothing. A mail that
// is not PGP/MIME gives [mail.ErrNotEncrypted].
func Inspect(raw []byte) (Sealed, error) {
	message, err := mail.EncryptedPart(raw)
	if err != nil {
		return Sealed{}, err
	}
	header, err := mail.ReadHeader(raw)
	if err != nil {
		return Sealed{}, err
	}
	s := Sealed{Header: header, message: message}
	r, err := s.open()
	if err != nil {
		return Sealed{}, err
	}
	return s, s.readKeys(bufio.NewReader(r))
}

// open is the message without armor.
func (s Sealed) open() (io.Reader, error) {
	if len(s.message) > 0 && s.message[0]&0x80 != 0 {
		return bytes.NewReader(s.message), nil
	}
	block, err := armor.Decode(bytes.NewReader(s.message))
	if err != nil || block.Type != pgp.MessageType {
		return nil, &Damaged{Reason: "its armor is broken"}
	}
	return block.Body, nil
}

// readKeys reads the packets before the encrypted data.
func (s *Sealed) readKeys(r *bufio.Reader) error {
	for range maxLeadingPackets {
		tag, length, err := readPacketHeader(r)
		if err != nil {
			return &Damaged{Reason: "it ends too early"}
		}
		switch tag {
		case tagEncryptedData, tagProtectedData, tagAEADData:
			return nil
		case tagEncryptedKey, tagSymmetricKey, tagMarker, tagPadding:
		default: // only signed, or compressed: nobody encrypted it
			return mail.ErrNotEncrypted
		}
		if length < 0 || length > maxKeyPacket {
			return &Damaged{Reason: "a key packet is too long"}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return &Damaged{Reason: "it ends too early"}
		}
		if tag == tagEncryptedKey {
			s.addKey(body)
		}
		if len(s.KeyIDs)+s.Hidden > MaxRecipients {
			return &Damaged{Reason: fmt.Sprintf("it has more than %d recipients", MaxRecipients)}
		}
	}
	return &Damaged{Reason: "it has too many packets"}
}

// addKey reads whom an encrypted session key is for (RFC 9580 section 5.1).
func (s *Sealed) addKey(body []byte) {
	var id uint64
	switch {
	case len(body) >= versionKeyIDLength && body[0] == encryptedKeyV3:
		id = binary.BigEndian.Uint64(body[1:])
	case len(body) >= 3+fingerprintV4Size && body[0] == encryptedKeyV6 && body[1] == 1+fingerprintV4Size:
		id = binary.BigEndian.Uint64(body[3+fingerprintV4Size-keyIDSize:])
	case len(body) >= 3+fingerprintV6Size && body[0] == encryptedKeyV6 && body[1] == 1+fingerprintV6Size:
		id = binary.BigEndian.Uint64(body[3:])
	case len(body) >= 2 && body[0] == encryptedKeyV6 && body[1] == 0:
	default:
		return // a version that nobody knows: not ours
	}
	if id == 0 { // RFC 4880 section 5.1: a wild card
		s.Hidden++
		return
	}
	s.KeyIDs = append(s.KeyIDs, id)
}

// readPacketHeader reads a packet's type and length (RFC 4880 section 4.2). The
// length is -1 where it is partial or open.
func readPacketHeader(r *bufio.Reader) (tag byte, length int64, err error) {
	first, err := r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	if first&0x80 == 0 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if first&0x40 == 0 { // old format
		size := 1 << (first & 3)
		if size == 8 {
			return first >> 2 & 15, -1, nil
		}
		length, err = readNumber(r, size)
		return first >> 2 & 15, length, err
	}
	tag = first & 63
	second, err := r.ReadByte()
	switch {
	case err != nil:
		return 0, 0, err
	case second < 192:
		return tag, int64(second), nil
	case second < 224:
		third, err := r.ReadByte()
		return tag, int64(second-192)<<8 + int64(third) + 192, err
	case second < 255:
		return tag, -1, nil
	}
	length, err = readNumber(r, 4)
	return tag, length, err
}

func readNumber(r *bufio.Reader, size int) (int64, error) {
	var n int64
	for range size {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		n = n<<8 | int64(b)
	}
	return n, nil
}
