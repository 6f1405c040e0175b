package payment

import (
	"fmt"
	"slices"
	"strings"
)

// Instruction is one payment line of the PAYMENT extension of SMTP:
//
//	instruction = system 1*SP currency 1*SP amount 1*SP txid *(1*SP key "=" 1*VCHAR)
//
// Its amount stays decimal text, since the line does not tell the scale.
type Instruction struct {
	System, Currency, Amount, TxID string
	// Params are the named extras in the order written: exp (unix time),
	// payee (key-id), unit.
	Params []Param
}

// Param is one key=value of an instruction.
type Param struct{ Key, Value string }

// ParseInstruction reads one instruction line. Parsers accept a txid of 1 to 64
// characters; makers write at least 16.
func ParseInstruction(line string) (Instruction, error) {
	fields := slices.DeleteFunc(strings.Split(line, " "), func(s string) bool { return s == "" })
	if len(fields) < 4 {
		return Instruction{}, fmt.Errorf("an instruction has a system, a currency, an amount and a transaction id")
	}
	in := Instruction{System: fields[0], Currency: fields[1], Amount: fields[2], TxID: fields[3]}
	whole, fraction, dotted := strings.Cut(in.Amount, ".")
	switch {
	case !isSystem(in.System):
		return Instruction{}, fmt.Errorf("malformed payment system")
	case !vchars(in.Currency, 255):
		return Instruction{}, fmt.Errorf("malformed currency")
	case !digits(whole, 15) || dotted && !digits(fraction, MaxScale):
		return Instruction{}, fmt.Errorf("malformed amount")
	case len(in.TxID) > 64 || !tokenChars(in.TxID, "-_"):
		return Instruction{}, fmt.Errorf("malformed transaction id")
	}
	for _, field := range fields[4:] {
		key, value, ok := strings.Cut(field, "=")
		if !ok || key == "" || len(key) > 16 || !letters(key) || !vchars(value, len(field)) {
			return Instruction{}, fmt.Errorf("malformed parameter")
		}
		in.Params = append(in.Params, Param{key, value})
	}
	return in, nil
}

// String writes the instruction with single spaces, as it is sent.
func (in Instruction) String() string {
	var b strings.Builder
	b.WriteString(in.System + " " + in.Currency + " " + in.Amount + " " + in.TxID)
	for _, p := range in.Params {
		b.WriteString(" " + p.Key + "=" + p.Value)
	}
	return b.String()
}

func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
