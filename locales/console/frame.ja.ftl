# 枠、操作の結果、ログイン、拒否された操作。

console-name = 営業支援

# 枠: ナビゲーション、接続、フォーム。

nav-label = メインメニュー
nav-skip = 本文へ移動
nav-bell = 通知 (未読 { $text } 件)
nav-logout = ログアウト
nav-customers = 顧客
nav-meetings = 商談
nav-tasks = タスク
nav-approvals = 承認申請
nav-deals = 案件
nav-notifications = 通知
nav-reports = レポート
nav-sagas = 一括処理
nav-admin = 管理
nav-audit = 監査ログ
nav-security = セキュリティログ
live-lost = サーバーとの接続が切れました。再接続しています…
live-back = 再接続しました。表示は最新です。
live-close = 閉じる
list-separator = 、
name-deleted = { $text } (削除済み)
name-system = システム
form-required = 必須
form-choose = 選択してください
form-more = その他の項目
form-cancel = キャンセル
form-sending = 送信しています…
form-unsent = サーバーに接続できず、送信できませんでした。入力した内容は残っています。少し待ってから、もう一度送信してください。
form-ended = ログインの有効期限が切れたため、送信できませんでした。入力した内容は残っています。別のタブでログインしてから、もう一度送信してください。
combo-by-name = 名前で検索
combo-toggle = 候補を開く
combo-none = 該当する候補はありません。
combo-found = { $text } 件の候補があります。上下の矢印キーで選べます。
combo-more = ほかにも候補があります。続けて入力すると絞り込めます。
combo-failed = 候補を取得できませんでした。もう一度お試しください。
session-ended = ログインの有効期限が切れました。
conflict-about = ほかの人が先に変更しました。重なった項目は、どちらを残すかを選んで、もう一度保存してください。
conflict-choose = どちらを残しますか
conflict-mine = 自分の入力
conflict-theirs = ほかの人の変更:
conflict-taken-over = ほかの人の変更を反映しました。
again-signed-in = ログインしました。入力した内容はまだ送信されていません。確認して、もう一度送信してください。
again-other-session = ログインし直されたため、まだ送信されていません。入力した内容を確認して、もう一度送信してください。
login-ended = ログインの有効期限が切れたか、別の画面でログアウトされました。もう一度ログインしてください。
login-kept = ログインの有効期限が切れたか、別の画面でログアウトされたため、まだ送信されていません。入力した内容は残っています。もう一度ログインすると、続きから操作できます。
amount-hint = 例: 1,250 または 1,250.50
confirm-delete = 削除します。よろしいですか。この操作は取り消せません。
action-edit = 編集
action-delete = 削除
submit-create = 作成
submit-save = 保存
submit-record = 記録
submit-add = 作成
submit-request = 申請
submit-change = 変更

# 操作の結果。

done-registered = 顧客を作成しました。
done-saved = 保存しました。
done-deleted = 削除しました。関連する記録の処理状況は下に表示されます。
done-removed = 削除しました。
done-recorded = 商談を記録しました。
done-added = 作成しました。
done-completed = タスクを完了しました。
done-reopened = タスクを未完了に戻しました。
done-postponed = タスクの期限を変更しました。
done-requested = 承認を申請しました。
done-approved = 申請を承認しました。
done-rejected = 申請を却下しました。
done-cancelled = 申請を取り消しました。
done-reassigned = 承認者を変更しました。
done-session = セッションを終了しました。
done-password = パスワードを変更しました。ほかの端末はログアウトされました。
done-breaker-set = サーキットブレーカーを設定しました。
done-redriven = 再実行を受け付けました。
done-read = 既読にしました。
done-archived = アーカイブしました。

# ログイン。

login-title = ログイン
login-submit = ログインする

# 拒否された操作。ないものは API の文言を使う。

refused-home = 顧客一覧へ
refused-invalid_fields = 入力内容をご確認ください。
refused-invalid_parameter = この条件では表示できません。条件を指定し直してください。
refused-invalid_cursor = このページは表示できません。一覧の先頭からやり直してください。
refused-stale_version = ほかの人が先に変更しました。今の内容を確認してから、もう一度操作してください。
refused-request_in_flight = 同じフォームを処理しています。少し待ってから、もう一度お試しください。
refused-duplicate_customer = 同じメールアドレスの顧客がすでにいます。
refused-too_many_attempts = ログインの失敗が続きました。{ $seconds } 秒後にお試しください。
refused-overloaded = 混み合っています。{ $seconds } 秒ほど待ってから、もう一度お試しください。
refused-unavailable = 一時的に利用できません。{ $seconds } 秒ほど待ってから、もう一度お試しください。
refused-unsupported_media_type = このフォームは読み取れません。ページを開き直してください。
refused-body_too_large = 入力が長すぎます。
refused-missing_token = ログインしてください。
refused-attachment_too_large = ファイルが大きすぎます。10 MiB までです。
refused-field-invalid_time = 日時の形式が正しくありません。
refused-field-invalid_date = 日付の形式が正しくありません。
refused-field-invalid_number = 整数で入力してください。
refused-field-invalid_choice = 選択肢から選んでください。
refused-field-invalid_amount = 金額を正しく入力してください (例: 1,250.00)。
refused-field-too_many_decimals = { $limit ->
    [0] この通貨は整数で入力してください。
   *[other] この通貨の小数点以下は { $limit } 桁までです。
}
refused-field-choose_one = 候補から 1 つ選んでください。
refused-field-nobody_found = 該当する候補がありません。
refused-field-too_small = { $limit } 以上で入力してください。
refused-field-too_large = { $limit } 以下で入力してください。
refused-field-password_too_small = { $limit } 文字以上で入力してください。
refused-field-password_too_large = { $limit } 文字以内で入力してください。
