# Problems: the title, and what to do about it. One message for each code of actors/refusal.rs.

malformed_request = Malformed request
    .detail = The request is not well-formed HTTP.
malformed_json = Malformed JSON
    .detail = The body is not a JSON document in UTF-8, or is nested too deeply.
invalid_parameter = Invalid parameter
    .detail = A parameter of the address is unknown or has a value that is not allowed; see errors.
invalid_header = Invalid header
    .detail = A header has a value that is not allowed; see errors.
invalid_cursor = Invalid cursor
    .detail = The cursor does not belong to this list. Start again without it.
missing_token = Not signed in
    .detail = Send an access token in the Authorization header.
invalid_token = Invalid token
    .detail = The token is not valid here. Sign in again.
token_expired = Token expired
    .detail = The token has run out. Refresh it, or sign in again.
session_ended = Session ended
    .detail = This session is over. Sign in again.
invalid_credentials = Sign-in failed
    .detail = The e-mail address or the password is wrong.
forbidden = Not allowed
    .detail = Your role does not allow this.
not_found = Not found
    .detail = There is nothing here, or nothing that you may see.
customer_not_found = Customer not found
    .detail = There is no such customer, or none that you may see.
method_not_allowed = Method not allowed
    .detail = This address does not take this method; the Allow header lists those it does.
duplicate_customer = Customer exists already
    .detail = Another customer has this e-mail address; see candidates. Send X-Allow-Duplicate: true to keep both.
email_taken = E-mail address taken
    .detail = Another user has this e-mail address.
last_admin = Last administrator
    .detail = This is the last active administrator. Appoint another first.
own_account = Own account
    .detail = You cannot do this to your own account.
request_in_flight = Request in flight
    .detail = A request with this Idempotency-Key is still being worked on. Try again in a moment.
stale_version = Changed meanwhile
    .detail = The record has another version than If-Match names. Read it again.
body_too_large = Body too large
    .detail = A body may have 256 KiB at most.
unsupported_media_type = Unsupported media type
    .detail = Send the body as application/json.
invalid_fields = Invalid fields
    .detail = One or more fields are wrong; see errors.
idempotency_key_reused = Idempotency-Key used before
    .detail = This Idempotency-Key belongs to another request. Use a new one.
too_many_attempts = Too many attempts
    .detail = Too many failed sign-ins. Wait as long as Retry-After says.
internal_error = Internal error
    .detail = Something went wrong on our side. The request id helps us to find it.
unavailable = Temporarily unavailable
    .detail = A part of the system is away for a moment. Try again.
overloaded = Overloaded
    .detail = There is more to do than fits. Try again in a moment.

# Faults of fields and parameters.

field-required = This is required.
field-unknown_field = There is no such field here.
field-unknown_parameter = There is no such parameter here.
field-duplicate_field = This is given twice.
field-invalid_type = This has the wrong type.
field-invalid_value = This value is not allowed.
field-invalid_choice = This is not one of the choices.
field-invalid_time = This is not an RFC 3339 time between the years 1 and 9999.
field-nul_character = NUL characters are not allowed.
field-invalid_utf8 = This is not UTF-8.
field-too_long = This has more than { $limit } characters.
field-too_small = This must be at least { $limit }.
field-too_large = This must be at most { $limit }.
field-invalid_email = This is not an e-mail address.
field-invalid_time_zone = This is not a time zone name.
field-unknown_user = There is no such user.
field-unknown_manager = There is no such manager.
field-own_manager = Nobody is their own manager.
field-wrong_password = The password is wrong.
field-before_from = This lies before the beginning.
field-range_too_long = The range may have { $limit } days at most.

# Notifications, by kind.

notification-customer-created = New customer
    .body = { $customer_name } was added.
