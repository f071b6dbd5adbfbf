# ウェブコンソールの文言。console.en.ftl と同じキーを持つ。

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
filter-all = すべて
filter-sort = 並び順
filter-submit = 絞り込む
filter-clear = 条件を解除
filter-remove = 条件「{ $text }」を解除
filter-words = 件名・メモ・顧客名で検索
pager-label = ページ
pager-first = 先頭へ
views-label = 保存したビュー
views-title = ビュー
views-all = すべて
views-name = このビューの名前
views-new-name = 新しいビューの名前
views-default = 一覧をこのビューで開く
views-keep = 変更をこのビューに保存
views-remove = このビューを削除
views-remove-confirm = ビュー「{ $text }」を削除しますか?
views-about = いまの条件・並び順・列・表示件数に名前を付けて、自分用に保存します。
views-save = 新しいビューとして保存
done-view-saved = ビューを保存しました。
done-view-removed = ビューを削除しました。
columns-title = 列
columns-about = 表示する列
columns-submit = 表示
bulk-title-customers = 顧客をまとめて変更
bulk-title-meetings = 商談をまとめて変更
bulk-title-tasks = タスクをまとめて変更
bulk-none = 何も選択されていません。一覧に戻って選択してください。
bulk-all-about = 一覧のすべて (ほかのページを含む) が対象です。
bulk-deleted = 削除されるもの
bulk-changed = 変更されるもの
bulk-unchanged = すでにこの値のもの
bulk-refused = 存在しないか、変更する権限がないもの
bulk-with = あわせて削除・取消・アーカイブされるもの:
bulk-preview-delete = 削除の内容を確認
bulk-preview-change = 変更の内容を確認
bulk-selected = 選択したものを変更…
bulk-all = 一覧のすべてを変更…
bulk-tick-all = このページをすべて選択
bulk-tick = { $text } を選択
bulk-count = { $text } 件を選択中
bulk-total = 対象
bulk-were-changed = 変更済み
bulk-were-deleted = 削除済み
bulk-were-refused = 対象外
done-bulk-started = 変更を開始しました。処理は自動的に進みます。
bulk-ticked = { $text } 件を選択しています。
bulk-apply = { $text } 件を変更する
bulk-delete = { $text } 件を削除する
none-status = 変更しない
none-owner-id = 変更しない
none-assignee-id = 変更しない
list-file = CSV をダウンロード
list-rows = { $text } 件
list-more = { $text } 件。続きがあります
pager-prev = 前のページ
pager-rows = 表示件数
pager-next = 次のページ
pager-older = さらに前の履歴
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

# 項目名。

label-name = 名前
label-kana = フリガナ
label-email = メールアドレス
label-company = 会社
label-phone = 電話番号
label-status = 状態
label-notes = メモ
label-owner-id = 担当
label-created-at = 作成日時
label-updated-at = 変更日時
label-deleted-at = 削除日時
label-customer-id = 顧客
label-title = 件名
label-met-at = 日時
label-duration-minutes = 所要時間 (分)
label-location = 場所
label-outcome = 結果
label-due-at = 期限
label-due-before = 期限がこれより前
label-created-from = 作成がこれ以降
label-created-to = 作成がこれより前
label-from = これ以降
label-to = これより前
label-assignee-id = 担当
label-completed-at = 完了日時
label-amount = 金額
label-currency = 通貨
label-reason = 理由
label-approver-id = 承認者
label-requester-id = 申請者
label-requested-at = 申請日時
label-decided-by = 決裁者
label-decided-at = 決裁日時
label-comment = コメント
label-password = パスワード
label-current-password = 現在のパスワード
label-new-password = 新しいパスワード (8 文字以上)
label-role = 役割
label-manager-id = 上長
label-locale = 表示言語
label-time-zone = タイムゾーン
label-theme = 配色
label-muted-notifications = 受け取らない通知
label-actor-id = 操作者
label-action = 操作
none-customer-id = なし
none-approver-id = 上長、またはすべてのマネージャー
none-manager-id = なし

role-SALES = 営業
role-MANAGER = マネージャー
role-ADMIN = 管理者
locale-ja = 日本語
locale-en = English
theme-SYSTEM = 端末の設定に合わせる
theme-LIGHT = ライト
theme-DARK = ダーク

# 顧客。

status-LEAD = 見込み
status-ACTIVE = 取引中
status-DORMANT = 休眠
sort--created-at = 新しい順
sort-created-at = 古い順
sort-name = 名前順
sort--name = 名前の逆順
sort--met-at = 日時の新しい順
sort-met-at = 日時の古い順
sort-due-at = 期限の近い順
sort--due-at = 期限の遠い順
sort--amount = 金額の大きい順
sort-amount = 金額の小さい順
sort-updated-at = 変更の古い順
sort--updated-at = 変更の新しい順
customers-new = 新規顧客追加
customers-total = { $text } 件
customers-search = 名前・フリガナ・会社・メールで検索
customers-duplicate = { $text } の顧客はすでにいます。下の顧客をご確認ください。
customers-duplicate-all = 該当する { $n } 件をすべて表示
customers-duplicate-allow = それでも別の顧客として作成する
customers-duplicate-back = 一覧に戻る
empty-customers = まだ顧客がいません。最初の顧客を作成しましょう。
empty-filtered = 条件に合うものはありません。条件を減らすと見つかるかもしれません。
customer-record = 基本情報
record-history = 履歴
customer-edit = { $text } を編集
customer-activity = 活動履歴
customer-changed = 変更: { $text }
customer-add-task = タスクを作成
customer-add-meeting = 商談を記録
customer-add-approval = 承認を申請
customer-removal = { $text } を削除
customer-removal-about = この顧客を削除すると、次の記録も一緒に処理されます (商談とタスクは削除、承認待ちの申請は取消、通知はアーカイブ)。
removal-nothing = 関連する記録はありません。
removal-heir = 引き継ぐ人
label-reassign-to = 引き継ぐ人
removal-approver = 承認待ちの申請を引き継ぐ承認者:
removal-submit = 削除する
counted-customers = 顧客
counted-meetings = 商談
counted-tasks = タスク
counted-approvals = 承認申請
counted-notifications = 通知

# 商談。

meetings-new = 商談を記録
meetings-minutes = { $n } 分
empty-meetings = 商談の記録はまだありません。会った人と結果を残しましょう。
none-meetings = 商談の記録はまだありません。

# タスク。

tasks-new = タスクを作成
tasks-complete = 完了
tasks-reopen = 未完了に戻す
tasks-done-of = 「{ $text }」の完了
tasks-completed-of = 「{ $text }」を完了しました。
tasks-reopened-of = 「{ $text }」を未完了に戻しました。
task-OPEN = 未完了
task-DONE = 完了
due-overdue = 期限切れ
due-soon = 期限間近
due-done = 完了
empty-tasks = 未完了のタスクはありません。次の予定を入れましょう。
empty-tasks-done = 完了したタスクはまだありません。
none-tasks = タスクはまだありません。

# 承認申請。

approvals-new = 承認を申請
approval-PENDING = 承認待ち
approval-APPROVED = 承認済み
approval-REJECTED = 却下
approval-CANCELLED = 取消
approval-decision = 決裁
approval-comment-hint = 却下する場合は必須
approval-approve = 承認する
approval-reject = 却下する
approval-cancel = 申請を取り消す
approval-cancel-confirm = 「{ $text }」の申請を取り消します。よろしいですか。
approval-reassign = 承認者の変更
approval-reassign-submit = 承認者を変更する
approver-everyone = すべてのマネージャー
empty-approvals = 承認申請はまだありません。値引きや契約の承認を申請できます。
none-approvals = 承認申請はまだありません。

# 削除処理 (サガ)。

sagas-about = 顧客やユーザーの削除、まとめての変更は、順に処理されます。ここで進み具合を確認できます。
sagas-progress = 進み具合
saga-user-deletion = ユーザーの削除
saga-customers-change = 顧客の一括変更
saga-meetings-change = 商談の一括変更
saga-tasks-change = タスクの一括変更
saga-customer-deletion = 顧客の削除
saga-status-running = 処理中
saga-status-completed = 完了
saga-status-failed = 失敗
step-change-customers = 顧客を変更
step-change-meetings = 商談を変更
step-change-tasks = タスクを変更
step-reassign-customers = 顧客の引き継ぎ
step-delete-tasks = タスクの削除
step-reassign-meetings = 商談の引き継ぎ
step-reassign-approvals = 申請の引き継ぎ
step-delete-meetings = 商談の削除
step-cancel-approvals = 申請の取消
step-archive-notifications = 通知のアーカイブ
step-status-pending = 待機中
step-status-done = 完了
step-status-failed = 失敗
empty-sagas = 一括処理はありません。顧客を削除したり、まとめて変更したりすると、ここに進み具合が表示されます。

# 管理。

admin-operations = 稼働状況
admin-users = ユーザー
users-new = ユーザーを作成
users-search = 名前・メールで検索
user-edit = { $text } を編集
user-password-hint = 変更する場合のみ入力
user-removal = { $text } を削除
user-removal-about = このユーザーはすぐにログインできなくなります。顧客・商談・申請は引き継がれ、タスクは削除されます。
admin-cluster = クラスター
admin-node = ノード
admin-self = このノード
admin-address = アドレス
admin-services = サービス
admin-version = バージョン
admin-started = 起動日時
admin-breakers = サーキットブレーカー
admin-name = 名称
admin-calls = 呼び出し
admin-failures = 失敗
admin-retry-at = 次の試行
admin-rejected = 拒否
admin-latency = p99(ミリ秒)
admin-forced = (手動設定)
admin-force-open = 遮断する
admin-force-closed = 遮断しない
admin-force-none = 自動に戻す
breaker-closed = 正常
breaker-open = 遮断
breaker-half-open = 試行中
admin-letters = デッドレター
admin-consumer = コンシューマー
admin-error = エラー
admin-redrive = 再実行
empty-letters = デッドレターはありません。
admin-consumers = コンシューマー
admin-applied = 適用済み
admin-pending = 未処理
admin-retrying = 再試行中
admin-waiting = 順番待ち
admin-dead = 停止
admin-actors = アクター
admin-live = 稼働数
admin-mailbox = 待ち
admin-handled = 処理済み
admin-restarts = 再起動
admin-state = 状態
admin-fine = 正常
admin-fine-about = 問題は見つかりませんでした。
admin-log = ログのイベント
admin-events-hour = 直近 1 時間のイベント
admin-nodes = ノード
redis-connected = 接続中
redis-away = 応答なし
admin-pending-hour = 未処理の推移 (1 時間)
admin-actors-about = このノードのアクターです。グラフは直近 1 時間に処理したメッセージ数です。
admin-live-count = 稼働 { $text }
admin-handled-hour = 1 時間に { $text } 件
admin-handled-course = 処理数の推移 (1 時間)
admin-group-services = サービス
admin-group-records = 記録
admin-group-consumers = コンシューマー
admin-group-breakers = サーキットブレーカー
admin-group-engine = エンジン
spark-greatest = 最大 { $text }
spark-last = 最新 { $text }
problem-not-whole = 整合性の異常
problem-about-not-whole = イベントの欠落、重複、または順序の誤りがあります。
problem-dead-letters = 配信不能
problem-about-dead-letters = 繰り返し失敗したため処理されていないイベントがあります。原因を直してから再実行してください。
problem-breaker-open = 遮断中
problem-about-breaker-open = このサービスへの呼び出しは、すぐに拒否されます。
problem-redis-away = Redis 応答なし
problem-about-redis-away = ほかのノードのイベントは 1 秒ごとに読み込まれます。
problem-retrying = 再試行中
problem-about-retrying = 失敗したイベントを再試行しています。
problem-lagging = 遅延
problem-about-lagging = 処理がログに追いついていません。
problem-queueing = 待ち行列
problem-about-queueing = メッセージが処理を待っています。
problem-restarted = 再起動
problem-about-restarted = 直近 1 時間にアクターが再起動されました。ログに原因があります。
problem-breaker-forced = 手動で固定
problem-about-breaker-forced = このブレーカーは手動で固定されています。
audit-type = イベントの種類
audit-event = イベント
audit-time = 日時
audit-who = 操作者
audit-record = 対象
audit-subject = ID
audit-from = 開始日
audit-to = 終了日
audit-one-record = 1 件の対象のみ
audit-facts = イベント
audit-version = 版
audit-correlation = 要求 ID
audit-all-of-record = この対象のすべてのイベント
audit-cause = 原因となったイベント
audit-changes = 変更内容
audit-no-changes = 記録の項目は変わっていません。
audit-field = 項目
audit-was = 変更前
audit-is = 変更後
audit-data = データ (JSON)
audit-group-user = ユーザー
audit-group-customer = 顧客
audit-group-meeting = 商談
audit-group-task = タスク
audit-group-approval = 承認申請
audit-group-notification = 通知
audit-group-saga = 削除処理

# 設定。

offline-title = 接続できません
settings-title = アカウント
settings-account = アカウント情報
settings-about = これらの変更は管理者にご依頼ください。
settings-profile = 名前・表示言語・タイムゾーン
settings-about-profile = ほかの人に表示される名前と、画面の言葉・日時の表示に使われます。
settings-password = パスワードの変更
settings-about-password = 変更すると、ほかの端末はログアウトされます。
settings-preferences = 配色・通知
settings-notifications = 受け取る通知
settings-about-notifications = チェックを外した種類の通知は、今後届きません。すでに届いた通知は残ります。
sessions-title = ログイン中の端末
sessions-about = 心当たりのないものは終了し、パスワードを変更してください。
sessions-agent = プログラム
sessions-address = アドレス
sessions-opened = ログイン日時
sessions-used = 最終利用
sessions-current = この端末
sessions-end = 終了
sessions-unknown = 不明
session-kind-api = API
session-kind-console = ブラウザー

# イベント。

event-user-created = ユーザーの作成
event-user-updated = ユーザーの変更
event-user-login = ログイン
event-user-login-failed = ログイン失敗
event-user-deleted = ユーザーの削除
event-customer-created = 顧客の作成
event-customer-updated = 顧客の変更
event-customer-deleted = 顧客の削除
event-customers-changed = 顧客の一括変更
event-meetings-changed = 商談の一括変更
event-tasks-changed = タスクの一括変更
event-customers-reassigned = 顧客の引き継ぎ
event-meeting-created = 商談の記録
event-meeting-updated = 商談の変更
event-meeting-deleted = 商談の削除
event-meetings-deleted = 商談の一括削除
event-meetings-reassigned = 商談の引き継ぎ
event-task-created = タスクの作成
event-task-updated = タスクの変更
event-task-completed = タスクの完了
event-task-deleted = タスクの削除
event-tasks-deleted = タスクの一括削除
event-task-due-soon = タスクの期限間近
event-approval-requested = 承認の申請
event-approval-approved = 申請の承認
event-approval-rejected = 申請の却下
event-approval-cancelled = 申請の取消
event-approval-reassigned = 承認者の変更
event-approvals-cancelled = 申請の一括取消
event-approvals-reassigned = 申請の引き継ぎ
event-comment-created = コメントの投稿
event-comment-updated = コメントの編集
event-comment-deleted = コメントの削除
event-attachment-added = ファイルの添付
event-attachment-removed = ファイルの削除
event-notification-created = 通知の発行
event-notification-read = 通知の既読
event-notifications-archived = 通知のアーカイブ
event-saga-started = 削除処理の開始
event-saga-step-completed = 削除処理の段階の完了
event-saga-completed = 削除処理の完了
event-saga-failed = 削除処理の失敗

# 通知。

notifications-unread = 未読
notifications-read = 既読にする
notifications-read-all = すべて既読にする
notifications-archive = アーカイブ
notifications-archived = アーカイブ済み
empty-notifications = 通知はまだありません。新しい顧客や承認の結果がここに届きます。

# レポート。

reports-from = 開始日
reports-to = 終了日
reports-show = 表示
reports-spans = 期間
reports-span = { $n } 日間
reports-as-of = { $text } 時点の値です。
reports-unavailable = 現在このサービスの値を取得できません。しばらくしてから開き直してください。
reports-nothing = この期間の記録はありません。
reports-daily = 日ごとの推移
reports-line-total = 合計 { $text }
reports-line-greatest = 1 日の最大 { $text }
reports-table = 数値を表で見る
reports-day = 日付
reports-zone = 日付は { $text } の 1 日ごとに区切っています。
reports-files = データの書き出し
reports-files-about = 閲覧できるすべての記録を CSV ファイルで保存します。
source-cached = 直近の値
source-unavailable = 取得できません
summary-total = 合計
summary-new = 新規
summary-deleted = 削除
summary-open = 未完了
summary-done = 完了
summary-overdue = 期限切れ
summary-approved-amount = 承認済み金額
metric-logins = ログイン
metric-customers-created = 顧客の作成
metric-customers-deleted = 顧客の削除
metric-meetings-created = 商談の記録
metric-tasks-completed = タスクの完了
metric-approvals-requested = 承認の申請
metric-approvals-approved = 申請の承認
metric-approvals-rejected = 申請の却下

# The security log.

security-what = 内容
security-who = ユーザー
security-count = 回数
security-nobody = 該当なし
security-signed-in = ログイン
security-sign-in-refused = ログイン失敗
security-sign-in-throttled = 失敗の続くログインを保留
security-password-refused = 現在のパスワードの誤り
security-password-changed = パスワードの変更
security-password-set = 管理者によるパスワードの設定
security-token-reused = 使用済みトークンの再使用（セッション終了）
security-token-misplaced = 種類の異なるトークン
security-signed-out = ログアウト
security-session-ended = 本人によるセッション終了
security-session-replaced = 再ログインによるセッション終了
security-session-evicted = 上限超過によるセッション終了

# 全体の検索とショートカット。

type-customer = 顧客
type-meeting = 商談
type-task = タスク
type-approval = 承認申請
palette-open = 検索
palette-label = 検索と移動
palette-placeholder = 顧客・商談・タスク・ページ・操作を検索
palette-failed = 検索できませんでした。もう一度お試しください。
palette-recent = 最近開いたもの
palette-records = 記録
palette-actions = 操作
palette-pages = ページ
search-title = 検索
search-label = 顧客・商談・タスク・承認申請の言葉
search-none = 該当するものはありません。言葉を変えるか減らしてお試しください。
search-missing = { $text }は一時的に検索できません。ほかは検索しました。
search-places = ページと操作
shortcuts-title = キーボードショートカット
shortcuts-about = 1 文字のキーは入力中には働きません。このブラウザーで使わないようにもできます。
shortcuts-switch = 1 文字のショートカットを使う
shortcut-palette = すべてを検索
shortcut-search = ページの検索欄へ移動 (なければすべてを検索)
shortcut-create = ページの新規作成フォームを開く
shortcut-help = ショートカットの一覧

# ホーム。

nav-home = ホーム
home-today = 今日までのタスク
home-today-none = 今日が期限のタスクはありません。
home-today-all = 自分の未完了タスクをすべて見る
home-awaiting = 自分の承認を待つ申請
home-awaiting-none = 承認を待つ申請はありません。
home-awaiting-all = 承認待ちの申請をすべて見る
home-news = 自分の記録の新しい変更
home-news-none = 前回確認してからの変更はありません。
home-news-more = これより前の変更はここには表示していません。各顧客のページですべての履歴を確認できます。
home-news-seen = 確認済みにする
home-news-customers = 自分の顧客を見る
home-unavailable = 一時的に表示できません。ほかの部分は最新です。
done-seen = 確認済みにしました。

# コメント

comments-title = コメント
comments-of = 「{ $text }」へのコメント
comments-edit = コメントの編集
comments-edited = 編集済み
comments-submit = コメントを投稿
comments-hint = 「@」と名前でメンションできます。
comments-named = お探しのコメント
comments-confirm-delete = このコメントを削除します。よろしいですか。この操作は取り消せません。
none-comments = コメントはまだありません。
mentions-label = メンションする人
label-text = コメントの内容
done-commented = コメントを投稿しました。

# 添付ファイル

attachments-title = 添付ファイル
attachments-of = 「{ $text }」の添付ファイル
attachments-submit = 添付する
attachments-choose = 添付するファイル
attachments-hint = 10 MiB まで。PDF、画像、Office・OpenDocument 文書、テキスト、CSV、ZIP。
attachments-confirm-remove = このファイルを削除します。よろしいですか。この操作は取り消せません。
none-attachments = 添付ファイルはまだありません。
done-attached = ファイルを添付しました。

# デモだけにある、部品の一覧。

empty-tasks-open = 未完了のタスクを見る
empty-notifications-lead = 受け取る通知を選ぶ
design-title = デザインシステム
design-about = コンソールの部品と、その元になる値の一覧です。デモだけで表示されます。
design-tokens = トークン
design-colours = 色
design-spaces = 余白
design-types = 文字の大きさ
design-radii = 角の丸み
design-shadows = 影
design-motions = 動き
design-icons = アイコン
design-avatars = アバター
design-statuses = 状態
design-buttons = ボタン
design-fields = 入力欄
design-notices = お知らせ
design-empty = 空の一覧
design-charts = グラフ
design-cards = 記録の項目
design-example = 例
design-default = 標準
design-main = 主な操作
design-plain = 控えめ
design-danger = 削除などの操作
design-small = 小さい
design-busy = 送信中
design-disabled = 使用不可
