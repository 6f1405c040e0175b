package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

const tagOffer = "offer"

// addressInput names an address in the compared form.
type addressInput struct {
	Address string `path:"address" maxLength:"320" doc:"An address in the compared form: lower case, domain in A-labels"`
}

func (in addressInput) address() (escrow.Address, error) {
	address := escrow.Address(in.Address)
	if !address.Valid() {
		return "", escrow.Errorf(escrow.Invalid, "the path does not name an address in the compared form")
	}
	return address, nil
}

func (a *API) offerOperations() {
	register(a, operation{method: http.MethodPut, path: "/v1/offers", id: "publish-offer", tag: tagOffer,
		summary: "Set the price of a proven address"},
		func(ctx context.Context, in *input[wire.OfferBody]) (*struct{}, error) {
			return nil, a.service(ctx).PublishOffer(ctx, in.Body.Offer)
		})
	register(a, operation{method: http.MethodGet, path: "/v1/offers/{address}", id: "offer", tag: tagOffer, access: optional,
		summary: "Look up the price of an address; without a signature only public ones are told"},
		func(ctx context.Context, in *addressInput) (*output[wire.OfferBody], error) {
			address, err := in.address()
			if err != nil {
				return nil, err
			}
			offer, err := a.service(ctx).Offer(ctx, address)
			return answer(wire.OfferBody{Offer: offer}, err)
		})
}
