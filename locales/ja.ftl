# 問題: 見出しと対処。actors/refusal.rs の各コードに一つ。

malformed_request = リクエストの形式エラー
    .detail = リクエストが正しい HTTP ではありません。
malformed_json = JSON の形式エラー
    .detail = 本文が UTF-8 の JSON ではないか、入れ子が深すぎます。
invalid_parameter = パラメーターの誤り
    .detail = URL のパラメーターが未知であるか、値が許可されていません。errors をご確認ください。
invalid_header = ヘッダーの誤り
    .detail = ヘッダーの値が許可されていません。errors をご確認ください。
invalid_cursor = カーソルの誤り
    .detail = このカーソルはこの一覧のものではありません。カーソルなしでやり直してください。
missing_token = 未ログイン
    .detail = Authorization ヘッダーにアクセストークンを付けてください。
invalid_token = トークンの誤り
    .detail = このトークンは使用できません。もう一度ログインしてください。
token_expired = トークンの期限切れ
    .detail = トークンの有効期限が切れました。更新するか、もう一度ログインしてください。
session_ended = セッション終了
    .detail = このセッションは終了しています。もう一度ログインしてください。
invalid_credentials = ログイン失敗
    .detail = メールアドレスまたはパスワードが正しくありません。
forbidden = 権限なし
    .detail = この操作を行う権限がありません。
not_found = 見つかりません
    .detail = 対象が存在しないか、閲覧する権限がありません。
customer_not_found = 顧客が見つかりません
    .detail = 顧客が存在しないか、閲覧する権限がありません。
method_not_allowed = 許可されていないメソッド
    .detail = この URL ではこのメソッドを使えません。使えるものは Allow ヘッダーにあります。
duplicate_customer = 顧客は登録済みです
    .detail = 同じメールアドレスの顧客がいます。candidates をご確認ください。両方残す場合は X-Allow-Duplicate: true を付けてください。
email_taken = 使用済みのメールアドレス
    .detail = このメールアドレスは別のユーザーが使用しています。
last_admin = 最後の管理者
    .detail = 有効な管理者はこのユーザーだけです。先に別の管理者を任命してください。
own_account = 自分のアカウント
    .detail = 自分のアカウントに対してこの操作はできません。
request_in_flight = 処理中のリクエスト
    .detail = 同じ Idempotency-Key のリクエストを処理中です。少し待ってからお試しください。
stale_version = 更新の競合
    .detail = 記録のバージョンが If-Match と異なります。読み直してください。
body_too_large = 本文が大きすぎます
    .detail = 本文は 256 KiB までです。
unsupported_media_type = 対応していない形式
    .detail = 本文は application/json で送ってください。
invalid_fields = 入力内容の誤り
    .detail = 入力内容に誤りがあります。errors をご確認ください。
idempotency_key_reused = 使用済みの Idempotency-Key
    .detail = この Idempotency-Key は別のリクエストのものです。新しいキーをお使いください。
too_many_attempts = 試行回数の超過
    .detail = ログインの失敗が続きました。Retry-After の時間だけお待ちください。
internal_error = 内部エラー
    .detail = サーバー側で問題が起きました。お問い合わせの際はリクエスト ID をお知らせください。
unavailable = 一時的に利用できません
    .detail = システムの一部が一時的に利用できません。もう一度お試しください。
overloaded = 混雑中
    .detail = 処理が混み合っています。少し待ってからお試しください。

# 項目とパラメーターの誤り。

field-required = 必須項目です。
field-unknown_field = この項目は存在しません。
field-unknown_parameter = このパラメーターは存在しません。
field-duplicate_field = 二重に指定されています。
field-invalid_type = 型が正しくありません。
field-invalid_value = この値は使えません。
field-invalid_choice = 選択肢にない値です。
field-invalid_time = RFC 3339 形式の日時 (1 年から 9999 年) ではありません。
field-nul_character = NUL 文字は使えません。
field-invalid_utf8 = UTF-8 ではありません。
field-too_long = { $limit } 文字以内で入力してください。
field-too_small = { $limit } 以上にしてください。
field-too_large = { $limit } 以下にしてください。
field-invalid_email = メールアドレスの形式ではありません。
field-invalid_time_zone = タイムゾーン名ではありません。
field-unknown_user = このユーザーは存在しません。
field-unknown_manager = この上長は存在しません。
field-own_manager = 自分自身を上長にはできません。
field-wrong_password = パスワードが正しくありません。
field-before_from = 開始より前になっています。
field-range_too_long = 期間は { $limit } 日以内にしてください。

# 通知 (種類ごと)。

notification-customer-created = 新しい顧客
    .body = { $customer_name } が登録されました。
